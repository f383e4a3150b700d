/** Devices of the host do DMA to guest memory: passthru_init refuses memory that is not wired. */
import { booleanOf } from '../../vmm/bhyve/settings';
import { at, related } from '../places';
import { bhyveCheck, insertLine, replaceValue } from './bhyveCheck';

export const passthruMemory = bhyveCheck(
  { code: 'bhyve-passthru-memory', severity: 'error', title: 'A passthru device without wired memory' },
  function* (config) {
    const wired = config.values.get('memory.wired');
    if (!config.complete || wired?.open || booleanOf(wired?.value ?? 'false') !== false) return;
    for (const { row, device, address } of config.devices) {
      if (row?.name !== 'passthru' || !address) continue;
      const entry = device!.entry;
      yield {
        at: at(config, entry.valueSpan),
        message: `A \`passthru\` device needs \`memory.wired=true\`${config.form === 'command' ? ' (-S)' : ''}: bhyve ends with "passthru requires guest memory to be wired" and status 4.`,
        fixes: wired
          ? replaceValue(config, wired.entry, 'true', true)
          : insertLine(config, entry, 'memory.wired=true').map((fix) => ({ ...fix, preferred: true })),
        ...(wired ? { related: [related(config, wired.entry.valueSpan, 'It is off here.')] } : {}),
      };
    }
  },
);
