/** Options and settings that may be repeated, where only the last one counts. */
import type { Span } from '../../vmm/vmd/lexer';
import { at, lineOf, related, vmconfCheck } from './vmconfCheck';
import type { Found } from '../check';

export const optionOverridden = vmconfCheck(
  { code: 'vmconf-option-overridden', severity: 'warning', title: 'An option that a later one overrides' },
  function* (config) {
    const globals = config.syntax.statements.filter(
      ({ kind }) => kind === 'local-prefix' || kind === 'socket-owner' || kind === 'staggered',
    );
    yield* overridden(globals, ({ kind }) => kind.replace('-', ' '));
    for (const { block } of config.switches) {
      yield* overridden(block.options, ({ kind }) =>
        kind === 'enable' || kind === 'disable' ? 'enable or disable' : updown(kind),
      );
    }
    for (const { block, interfaces } of config.vms) {
      yield* overridden(block.options, ({ kind }) => {
        if (kind === 'enable' || kind === 'disable') return 'enable or disable';
        return kind === 'owner' || kind === 'boot-device' ? kind.replace('-', ' ') : null;
      });
      for (const { options } of interfaces) yield* overridden(options, ({ kind }) => updown(kind));
    }
  },
);

function updown(kind: string): string | null {
  return kind === 'up' || kind === 'down' ? 'up or down' : kind.replace('-', ' ');
}

/** Finds, for each name, every node but the last. */
function* overridden<T extends Span>(
  nodes: readonly T[],
  nameOf: (node: T) => string | null,
): Generator<Found> {
  if (nodes.length < 2) return;
  const last = new Map<string, T>();
  for (const node of nodes) last.set(nameOf(node) ?? '', node);
  for (const node of nodes) {
    const name = nameOf(node);
    const winner = last.get(name ?? '');
    if (name === null || !winner || winner === node) continue;
    yield {
      at: at(node),
      message: `A later \`${name}\` in line ${lineOf(winner)} takes the place of this one: vmd keeps the last and says nothing.`,
      related: [related(winner, 'The one that counts')],
      tags: ['unnecessary'],
    };
  }
}
