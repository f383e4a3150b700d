/** Huge pages that do not go with the memory's size, a balloon or an initial RAM disk (machine_config.rs, resources.rs). */
import { integerOf, textOf, type TextNode } from '../jsonRules';
import { firecrackerCheck, type FirecrackerRules } from './firecrackerCheck';
import type { Found } from '../check';

export const hugePages = firecrackerCheck(
  { code: 'firecracker-huge-pages', severity: 'error', title: 'Huge pages with what they do not go with' },
  function* (rules) {
    const pages = textOf(rules.machine, 'huge_pages');
    if (!pages || !rules.has({ since: '1.7' })) return;
    const transparent = pages.value === 'Transparent' && rules.has({ since: 'main-2026-08' });
    if (pages.value !== '2M' && !transparent) return;
    yield* oddMemory(rules, pages);
    yield* refusedBeside(rules, pages);
  },
);

function* oddMemory(rules: FirecrackerRules, pages: TextNode): Generator<Found> {
  const size = integerOf(rules.machine, 'mem_size_mib');
  if (!size || size.value % 2n === 0n) return;
  yield {
    at: rules.at(size),
    message: `${size.value} MiB are no multiple of 2 MiB, the size of the pages that \`huge_pages\` asks for: Firecracker refuses the machine (InvalidMemorySize).`,
    related: [rules.related(pages, 'Huge pages are asked for here')],
    fixes: [rules.replace(`Change to ${size.value + 1n}`, size, `${size.value + 1n}`)],
  };
}

/** A balloon up to 1.13, an initial RAM disk up to 1.10. */
function* refusedBeside(rules: FirecrackerRules, pages: TextNode): Generator<Found> {
  const beside = [
    { node: rules.present(rules.config, 'balloon'), what: 'a balloon', until: '1.13' },
    {
      node: rules.present(rules.section('boot-source'), 'initrd_path'),
      what: 'an initial RAM disk',
      until: '1.10',
    },
  ];
  for (const { node, what, until } of beside) {
    if (!node || !rules.has({ until })) continue;
    yield {
      at: rules.at(pages),
      message: `Firecracker up to ${until} takes no huge pages with ${what}, and this config is read for ${rules.version.id}: it is refused.`,
      related: [rules.related(node.key, `There is ${what} here`)],
    };
  }
}
