/**
 * Random sequences of accesses, changes of tables with an invalidation behind each, and changes of rights, without ever
 * starting afresh: what the TLBs answer must be what a walk of the tables gives at that moment (SDM vol. 3, 4.10).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CODE, IDT, Lab, SELECTOR, TABLES, bytesOf } from '../lab';
import { Random } from '../oracle/random';
import { pagingProfile } from './machine';
import { BIT, walk, type Cpu, type Paging } from './walker';

const STEPS = Number(process.env['BOOTPATH_STEPS'] ?? 1500);
const CPU: Cpu = { width: 40, amd: false, pages1g: false, pse36: true };
const HANDLER = 0x8800n;
/** Linear pages whose entries change, and the physical pages that they lead to. */
const PAGES = [0xb000n, 0xc000n, 0xd000n, 0x10b000n] as const;
const FRAMES = [0x300000n, 0x301000n, 0x302000n, 0x303000n] as const;

const little = (value: bigint, bytes: number): string =>
  Array.from({ length: bytes }, (_, i) =>
    ((BigInt.asUintN(64, value) >> BigInt(8 * i)) & 0xffn).toString(16).padStart(2, '0'),
  ).join('');
const rax = (value: bigint): string => `48b8${little(value, 8)}`;
const rsi = (value: bigint): string => `48be${little(value, 8)}`;

/** Instructions of one step; how many there are before the jump back to CODE. */
type Step = readonly string[];

test(`${STEPS} steps: the TLBs never answer otherwise than the tables`, () => {
  const random = new Random(4711);
  const lab = new Lab({ mode: 'long', profile: pagingProfile(CPU) });
  // Everything but the pages in question belongs to the supervisor, so that SMAP leaves it alone.
  for (let page = 0n; page < 0x400000n; page += 0x1000n) lab.put(lab.entryOf(page), page | 3n, 8);
  lab.put(IDT + 14n * 16n, (0x8e00n << 32n) | (BigInt(SELECTOR.code64) << 16n) | HANDLER, 8);
  // add rsp, 8; mov qword [rsp], CODE; iretq
  lab.core.write(HANDLER, Uint8Array.from(bytesOf(`4883c408 48c70424${little(CODE, 4)} 48cf`)));
  let paging: Paging = {
    cr0: 0x80010031n,
    cr3: TABLES,
    cr4: 0x20n | BIT(7) | BIT(21) | BIT(22),
    efer: 0xd00n,
    pkru: 0n,
    pkrs: 0n,
    ac: false,
    a20: true,
    cpu: CPU,
    pdptes: [],
  };
  lab.set({}, { cr0: paging.cr0, cr4: paging.cr4, efer: paging.efer, idtr: { base: IDT, limit: 0xfff } });

  const perform = (step: Step): ReturnType<Lab['core']['faults']>[number] | null => {
    const body = step.join('').replace(/\s/g, '');
    const back = `eb${little(BigInt(-(body.length / 2 + 2)), 1)}`;
    lab.core.write(CODE, Uint8Array.from(bytesOf(body + back)));
    const before = lab.core.now;
    lab.core.run(before + step.length + 1);
    assert.notEqual(lab.core.activity(0), 'shutdown');
    const fault = lab.core.faults(0).at(-1);
    if (!fault || fault.at < before) return null;
    // Whatever part of the handler is left: it ends at CODE.
    for (let i = 0; i < 8 && lab.core.state(0).rip !== CODE; i++) lab.core.run(lab.core.now + 1);
    return fault;
  };

  const counts = { read: 0, written: 0, refused: 0 };
  for (let i = 0; i < STEPS; i++) {
    const page = random.pick(PAGES);
    const at = page | BigInt(random.below(0x400) * 4);
    const entryAt = lab.entryOf(page);
    switch (random.below(9)) {
      case 0: {
        let entry = random.pick(FRAMES) | (random.oneIn(6) ? 0n : 1n) | (random.oneIn(3) ? 0n : 2n);
        entry |=
          (random.oneIn(2) ? 4n : 0n) | (random.oneIn(3) ? 0x100n : 0n) | (BigInt(random.below(4)) << 59n);
        const invalidate = random.pick([
          [rsi(page | 5n), '0f013e'], // invlpg [rsi]
          ['bd02000000', '660f38822c2500900000'], // invpcid, type 2
          [rax(paging.cr4 ^ BIT(7)), '0f22e0', rax(paging.cr4), '0f22e0'], // CR4.PGE twice
        ]);
        perform([`48bf${little(entryAt, 8)}`, `48bb${little(entry, 8)}`, '48891f', ...invalidate]);
        break;
      }
      case 1:
        paging = { ...paging, cr0: paging.cr0 ^ BIT(16) };
        perform([rax(paging.cr0), '0f22c0']);
        break;
      case 2:
        paging = { ...paging, ac: !paging.ac };
        perform([paging.ac ? '0f01cb' : '0f01ca']);
        break;
      case 3:
        paging = { ...paging, pkru: BigInt(random.below(256)) & ~3n };
        perform(['31c9', '31d2', rax(paging.pkru), '0f01ef']);
        break;
      case 4:
        // Changes nothing that a walk could see; entries of global pages stay.
        perform([rax(TABLES), '0f22d8']);
        break;
      default: {
        const access = random.oneIn(2) ? 'read' : 'write';
        const request = { linear: at, access, user: false, implicit: false } as const;
        const expected = walk(paging, request, (where, size) => lab.get(where, size));
        const before = lab.get(entryAt, 8);
        const value = BigInt(random.word());
        const fault = perform([rax(value), rsi(at), access === 'read' ? '8b06' : '8906']);
        const words = `step ${i}: ${access} of 0x${at.toString(16)}, entry 0x${before.toString(16)}`;
        assert.deepEqual(
          fault && [fault.vector, fault.errorCode, fault.cr2],
          expected.fault === null ? null : [14, expected.fault, at],
          words,
        );
        const marks = expected.physical === null ? 0n : access === 'write' ? 0x60n : 0x20n;
        assert.equal(lab.get(entryAt, 8), before | marks, words);
        if (expected.physical === null) counts.refused++;
        else if (access === 'write') {
          counts.written++;
          assert.equal(lab.get(expected.physical, 4), value, words);
        } else {
          counts.read++;
          assert.equal(lab.core.state(0).general.rax, lab.get(expected.physical, 4), words);
        }
      }
    }
  }
  for (const [what, count] of Object.entries(counts)) assert.ok(count > STEPS / 20, `${what}: ${count}`);
});
