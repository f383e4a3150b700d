/** Where the names of well-known places go beside a picture, so that none covers another. */
import { LANDMARKS, type Landmark } from '../address/landmarks';
import type { AddressSpaceLayout } from './layout';
import { textWidth } from './svg';

export interface LandmarkMark {
  /** Extent on the stack; the same number twice for a boundary or a place too small to see. */
  readonly from: number;
  readonly to: number;
}

/** One label for one or several neighbouring places. */
export interface LandmarkLabel {
  readonly text: string;
  readonly marks: readonly LandmarkMark[];
  /** A boundary's name is an address, not a place. */
  readonly boundary: boolean;
  /** The middle of the marks. */
  readonly at: number;
  /** The middle of the label. */
  readonly y: number;
}

/** Pixels between the middles of two labels. */
const LINE = 13;
/** Places nearer than this share a label. */
const NEAR = 8;
/** Font size of the labels. */
export const LANDMARK_SIZE = 11;
/** A label that would stand farther from its place is left out. */
const FARTHEST = 45;

function visible(landmark: Landmark, layout: AddressSpaceLayout): boolean {
  if (landmark.particular) return false;
  const { start, end } = landmark.range;
  const { extent } = layout;
  if (start === end) return start > extent.start && start <= extent.end;
  return start < extent.end && end > extent.start;
}

interface Group {
  text: string;
  readonly boundary: boolean;
  readonly marks: LandmarkMark[];
  from: number;
  to: number;
}

/** Labels for what is visible of the landmarks; `room` is the width of the column in pixels. */
export function landmarkLabels(layout: AddressSpaceLayout, room: number): LandmarkLabel[] {
  const groups: Group[] = [];
  const marks = LANDMARKS.filter((landmark) => visible(landmark, layout))
    .map(({ label, range }) => ({
      label,
      boundary: range.start === range.end,
      from: layout.yOf(range.start),
      to: layout.yOf(range.end),
    }))
    .sort((a, b) => a.from + a.to - (b.from + b.to));
  for (const { label, boundary, from, to } of marks) {
    const last = groups.at(-1);
    const small =
      !boundary && !last?.boundary && to - from < NEAR && last !== undefined && last.to - last.from < NEAR;
    const close = last && Math.abs((from + to) / 2 - (last.from + last.to) / 2) < NEAR;
    const text = `${last?.text} · ${label}`;
    if (last && small && close && textWidth(text, LANDMARK_SIZE) <= room) {
      last.text = text;
      last.marks.push({ from, to });
      last.from = Math.min(last.from, from);
      last.to = Math.max(last.to, to);
    } else groups.push({ text: label, boundary, marks: [{ from, to }], from, to });
  }
  return spread(groups, layout.height);
}

/** Labels that stand together: the first one's place and their number. */
interface Run {
  readonly first: number;
  count: number;
  /** Sum of the first label's wanted places. */
  wish: number;
}

/** Moves labels apart as little as possible: neighbours that collide become a run around their common middle. */
function spread(groups: readonly Group[], height: number): LandmarkLabel[] {
  const wanted = groups.map(({ from, to }) => (from + to) / 2);
  const runs: Run[] = [];
  const start = ({ wish, count }: Run): number =>
    Math.max(0, Math.min(wish / count, height - (count - 1) * LINE));
  wanted.forEach((at, first) => {
    runs.push({ first, count: 1, wish: at });
    for (;;) {
      const [before, last] = [runs.at(-2), runs.at(-1)!];
      if (!before || start(before) + before.count * LINE <= start(last)) break;
      before.wish += last.wish - last.count * before.count * LINE;
      before.count += last.count;
      runs.pop();
    }
  });
  const placed = runs.flatMap((run) =>
    Array.from({ length: run.count }, (_, index) => start(run) + index * LINE),
  );
  const labels = groups.map((group, index): LandmarkLabel => ({
    text: group.text,
    marks: group.marks,
    boundary: group.boundary,
    at: wanted[index]!,
    y: placed[index]!,
  }));
  return labels.filter(({ y, at }) => Math.abs(y - at) <= FARTHEST);
}
