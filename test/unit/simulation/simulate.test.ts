import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { PORT_REP, PORT_STRING, type CoreOptions } from '../../../server/emulator/face';
import type { BootReport, SimulationRequest } from '../../../server/src/simulation/report';
import { simulate } from '../../../server/src/simulation/simulate';
import type { Finding } from '../../../server/src/text/finding';
import { VMD } from '../../../server/src/vmm/vmd/model';
import { ScriptedCore, type Program } from './scriptedCore';
import { CONFIG_URI, vmdMachine } from './vmdMachine';

/** 64 KiB of no-operations: the scripted core does not look at them. */
const ROM = new Uint8Array(0x10000).fill(0x90);
const FLAGS_IF = 0x202n;

interface Options extends Partial<SimulationRequest> {
  readonly version?: string;
  readonly cancelAfter?: number;
}

function boot(program: Program, options: Options = {}): BootReport & { cores: ScriptedCore[] } {
  const { version = '7.8', cancelAfter = Infinity, ...asked } = options;
  const cores: ScriptedCore[] = [];
  let polls = 0;
  const request: SimulationRequest = {
    machine: 'guest',
    firmware: ROM,
    kernel: null,
    probe: null,
    taps: [],
    maxInstructions: 10_000_000,
    reboots: 0,
    ...asked,
  };
  const report = simulate(vmdMachine(version), VMD, version, request, {
    createCore: (core: CoreOptions) => {
      const scripted = new ScriptedCore(core, program);
      cores.push(scripted);
      return scripted;
    },
    cancelled: () => ++polls > cancelAfter,
    progress: () => undefined,
  });
  return { ...report, cores };
}

test('a halt with interrupts off ends the run', () => {
  const report = boot(function* (cpu) {
    cpu.setFlags(2n);
    yield;
    yield 'halt';
  });
  assert.equal(report.outcome, 'halted');
  assert.match(report.reason, /after 2 instructions .*RFLAGS\.IF = 0/);
  assert.deepEqual(
    report.exits.filter(({ kind }) => kind === 'hlt'),
    [{ kind: 'hlt', at: null, count: 1, device: null }],
  );
});

test('a halt that nothing would interrupt ends the run', () => {
  const report = boot(function* (cpu) {
    cpu.setFlags(FLAGS_IF);
    yield 'halt';
  });
  assert.equal(report.outcome, 'halted');
  assert.match(report.reason, /no timer or device would interrupt it/);
});

/** Unmasks the timer and starts it at 100 Hz. */
function startTimer(cpu: ScriptedCore): void {
  for (const [port, value] of [
    [0x20, 0x11],
    [0x21, 0x20],
    [0x21, 0x04],
    [0x21, 0x01],
    [0x21, 0xfe],
    [0x43, 0x34],
    [0x40, 11932 & 0xff],
    [0x40, 11932 >> 8],
  ] as const) {
    cpu.out(port, value);
  }
}

test('the timer wakes a halted guest by its vector, and idle time costs no instructions', () => {
  const report = boot(function* (cpu) {
    cpu.setFlags(FLAGS_IF);
    startTimer(cpu);
    for (let i = 0; i < 3; i++) {
      yield 'halt';
      cpu.out(0x20, 0x20);
    }
    cpu.setFlags(2n);
    yield 'halt';
  });
  assert.equal(report.outcome, 'halted');
  assert.deepEqual(report.cores[0]!.acknowledged, [0x20, 0x20, 0x20]);
  assert.equal(report.instructions, 4);
  assert.ok(report.cores[0]!.now > 29_000_000);
  assert.deepEqual(
    report.timeline.map(({ event }) => event),
    ['halt', 'interrupt', 'repeated', 'halt'],
  );
});

test('a guest that only waits for the timer is idle after the given seconds of its own time', () => {
  const report = boot(
    function* (cpu) {
      cpu.setFlags(FLAGS_IF);
      startTimer(cpu);
      cpu.print('login:');
      for (;;) {
        yield 'halt';
        cpu.out(0x20, 0x20);
      }
    },
    { idleSeconds: 5 },
  );
  assert.equal(report.outcome, 'halted');
  assert.match(report.reason, /idle .*for 5 s of its own time/);
  assert.equal(report.console, 'login:');
});

test('an endless loop spends the budget', () => {
  const report = boot(
    function* () {
      for (;;) yield;
    },
    { maxInstructions: 2_500_000 },
  );
  assert.equal(report.outcome, 'budget');
  assert.equal(report.instructions, 2_500_000);
});

test('a run ends at the instruction that completes the awaited text', () => {
  const report = boot(
    function* (cpu) {
      yield;
      cpu.print('Kernel panic - not syncing: no root');
      yield;
      cpu.print(' and more');
      for (;;) yield;
    },
    { until: 'no root' },
  );
  assert.equal(report.outcome, 'expectation-met');
  assert.equal(report.instructions, 2);
  assert.equal(report.console, 'Kernel panic - not syncing: no root');
  assert.deepEqual(report.findings, []);
});

test('a run that ends without the awaited text has failed', () => {
  const report = boot(
    function* (cpu) {
      cpu.print('login:');
      yield 'halt';
    },
    { until: 'password:' },
  );
  assert.equal(report.outcome, 'halted');
  assert.deepEqual(
    report.findings.map(({ code, severity, message }) => [code, severity, message]),
    [['boot-expectation-missed', 'error', 'The awaited text "password:" did not come.']],
  );
});

test('a cancel ends the run at the next poll', () => {
  const report = boot(
    function* () {
      for (;;) yield;
    },
    { cancelAfter: 3 },
  );
  assert.equal(report.outcome, 'cancelled');
  assert.equal(report.instructions, 3_000_000);
});

for (const [version, port, value, outcome] of [
  ['7.8', 0x64, 0xfe, 'halted'],
  ['x86_vm-1.19', 0x64, 0xfe, 'halted'],
  ['x86_vm-1.24', 0x64, 0xfe, 'reset'],
  ['x86_vm-1.27', 0x64, 0xfe, 'reset'],
  ['x86_vm-1.27', 0x64, 0xfd, 'halted'],
  ['7.8', 0xcf9, 0x06, 'halted'],
  ['x86_vm-1.24', 0xcf9, 0x06, 'reset'],
  ['x86_vm-1.24', 0xcf9, 0x0e, 'reset'],
  ['x86_vm-1.24', 0xcf9, 0x02, 'halted'],
  ['x86_vm-1.24', 0x92, 0x01, 'halted'],
] as const) {
  test(`vmd ${version}: OUT ${port.toString(16)}, ${value.toString(16)} ends in ${outcome}`, () => {
    const report = boot(
      function* (cpu) {
        cpu.out(port, value);
        yield;
      },
      { version },
    );
    assert.equal(report.outcome, outcome);
    if (outcome === 'reset') assert.match(report.reason, /after 1 instruction,/);
  });
}

test('the timeline ends with what ended the run', () => {
  const report = boot(
    function* (cpu) {
      cpu.out(0x64, 0xfe);
      yield;
    },
    { version: 'x86_vm-1.24' },
  );
  const last = report.timeline.at(-1);
  assert.match(
    last && 'text' in last ? last.text : '',
    /^reset: OUT 0x64, 0xfe resets the VM: vmd starts the VM anew/,
  );
});

test('an unanswered port reads all ones, and is counted', () => {
  const report = boot(function* (cpu) {
    assert.deepEqual([cpu.in(0x64), cpu.in(0x80, 2), cpu.in(0x80, 4)], [0xff, 0xffff, 0xffffffff]);
    yield;
  });
  assert.deepEqual(
    report.exits.find(({ at }) => at === 0x80n),
    { kind: 'in', at: 0x80n, count: 2, device: null },
  );
});

test('string I/O ends the VM, before the instruction', () => {
  const report = boot(function* (cpu) {
    yield;
    cpu.in(0x511, 1, PORT_STRING | PORT_REP);
    yield;
  });
  assert.equal(report.outcome, 'vmm-exit');
  assert.match(report.reason, /^REP INSB at port 0x511: vmd ends the VM's process/);
  assert.equal(report.instructions, 1);
});

test('with a tap string I/O goes on, and the report says that the real vmd would have stopped', () => {
  const report = boot(
    function* (cpu) {
      cpu.out(0x510, 0, 2);
      const bytes = [1, 2, 3, 4].map(() => cpu.in(0x511, 1, PORT_STRING | PORT_REP));
      assert.equal(String.fromCharCode(...bytes), 'QEMU');
      assert.equal(cpu.in(0x402), 0xe9);
      cpu.out(0x402, 0x41);
      yield;
    },
    { taps: [0x402] },
  );
  assert.equal(report.outcome, 'halted');
  assert.equal(report.firmwareLog, 'A');
  const finding = report.findings.find(({ code }) => code === 'boot-would-stop');
  assert.match(finding?.message ?? '', /string I\/O, 4 times, first REP INSB at port 0x511/);
  assert.ok(report.notModelled.some((line) => line.includes('port 0x402')));
});

for (const [taps, value] of [
  [[], 0],
  [[0x402], 1],
] as const) {
  test(`with ${taps.length} taps fw_cfg tells SeaBIOS ${value === 1 ? 'to copy its screen to the debug port' : 'what vmd does'}`, () => {
    const report = boot(
      function* (cpu) {
        cpu.out(0x510, 0x21, 2);
        assert.deepEqual([cpu.in(0x511), cpu.in(0x511)], [value, 0]);
        yield;
      },
      { taps },
    );
    assert.equal(
      report.notModelled.some((line) => line.includes('screen-and-debug')),
      taps.length > 0,
    );
  });
}

test('a tap where the VMM has a device is not added, and said so', () => {
  const report = boot(
    function* (cpu) {
      cpu.print('x');
      yield;
    },
    { taps: [0x3f8] },
  );
  assert.deepEqual([report.console, report.firmwareLog], ['x', '']);
  assert.ok(report.notModelled.some((line) => /tap at port 0x3f8: the VMM has a device/.test(line)));
});

test('an access outside every range ends the VM and points at the line of the nearest one', () => {
  const report = boot(function* (cpu) {
    cpu.load(0x4000_0000n);
    yield;
  });
  assert.equal(report.outcome, 'vmm-exit');
  assert.match(report.reason, /0x40000000, which is in none of the VM's ranges/);
  const finding = report.findings[0];
  assert.equal(finding?.code, 'boot-vmm-exit');
  assert.equal(finding?.at?.uri, CONFIG_URI);
  assert.equal(finding?.at?.range.start.line, 1);
});

for (const [version, outcome, why] of [
  ['loadfile-1.11', 'vmm-exit', /this vmd has no MMIO emulation/],
  ['7.8', 'vmm-exit', /built without MMIO emulation \(MMIO_NOTYET\)/],
  ['x86_vm-1.27', 'halted', /halted/],
] as const) {
  test(`vmd ${version}: an empty address of the MMIO window ends in ${outcome}`, () => {
    const report = boot(
      function* (cpu) {
        assert.equal(cpu.load(0xf000_0000n, 4), 0xffffffffn);
        yield;
      },
      { version },
    );
    assert.equal(report.outcome, outcome);
    assert.match(report.reason, why);
  });
}

test('a kernel that gives up is a panic, however the run ends', () => {
  const report = boot(function* (cpu) {
    cpu.print('[    0.5] Kernel panic - not syncing: VFS\n');
    yield;
  });
  assert.equal(report.outcome, 'guest-panic');
  assert.match(report.reason, /Kernel panic - not syncing: VFS.*Then: The guest halted/);
  assert.ok(
    report.findings.some(({ code, severity }) => code === 'boot-guest-panic' && severity === 'error'),
  );
});

for (const line of [
  'panic: vm_fault',
  '(XEN) Panic on CPU 0:',
  '(XEN) [   12.345678] Panic on CPU 3:',
  '\rpanic[cpu0]/thread=fffffffffbc4a0e0: mutex_enter: bad mutex',
]) {
  test(`${JSON.stringify(line)} is a kernel that gave up`, () => {
    const report = boot(function* (cpu) {
      cpu.print(`${line}\r\n`);
      yield;
    });
    assert.equal(report.outcome, 'guest-panic', report.reason);
  });
}

test('a kernel that gives up and restarts has not given up in its next power-on', () => {
  const starts: string[] = [];
  const report = boot(
    function* (cpu) {
      starts.push('start');
      if (starts.length === 1) {
        cpu.print('Kernel panic - not syncing: VFS\n');
        yield 'shutdown';
      }
      cpu.setFlags(2n);
      yield;
      yield 'halt';
    },
    { reboots: 1 },
  );
  assert.equal(starts.length, 2);
  assert.equal(report.outcome, 'halted');
  assert.match(report.console, /Kernel panic/);
});

test('a kernel that prints of a panic in passing is none', () => {
  const report = boot(function* (cpu) {
    cpu.print('booting with panic=-1\nno panic: fine\n');
    yield;
  });
  assert.equal(report.outcome, 'halted');
});

test('a triple fault ends the first run; with reboots the machine starts anew with fresh memory', () => {
  const program: Program = function* (cpu) {
    assert.deepEqual([...cpu.read(0x5000n, 1)!], [0]);
    cpu.write(0x5000n, Uint8Array.of(1));
    cpu.print('boot\n');
    yield;
    yield 'shutdown';
  };
  const once = boot(program);
  assert.equal(once.outcome, 'triple-fault');
  assert.match(once.reason, /third restart in a row that comes less than 6 seconds after a start/);
  const thrice = boot(program, { reboots: 2 });
  assert.equal(thrice.outcome, 'triple-fault');
  assert.equal(thrice.console, 'boot\n'.repeat(3));
  assert.equal(thrice.instructions, 6);
  const times = thrice.timeline.map(({ at }) => at);
  assert.deepEqual(
    times,
    [...times].sort((a, b) => a - b),
  );
});

test('vmd refuses the third fast restart in a row', () => {
  const report = boot(
    function* (cpu) {
      cpu.print('boot\n');
      yield 'shutdown';
    },
    { reboots: 10 },
  );
  assert.equal(report.outcome, 'vmm-exit');
  assert.match(report.reason, /third restart in a row .* "restarted too quickly"/);
  assert.equal(report.console, 'boot\n'.repeat(3));
});

test('a restart after a longer run is no fast one', () => {
  const report = boot(
    function* (cpu) {
      cpu.setFlags(FLAGS_IF);
      startTimer(cpu);
      cpu.print('boot\n');
      while (cpu.now < 7_000_000_000) {
        yield 'halt';
        cpu.out(0x20, 0x20);
      }
      yield 'shutdown';
    },
    { reboots: 4 },
  );
  assert.equal(report.outcome, 'triple-fault');
  assert.equal(report.console, 'boot\n'.repeat(5));
});

test('power-off through PM1 shuts the VM down where vmd has it', () => {
  const program: Program = function* (cpu) {
    cpu.out(0xb008, 0x3400, 2);
    yield;
  };
  assert.equal(boot(program, { version: 'x86_vm-1.27' }).outcome, 'shutdown');
  assert.equal(boot(program, { version: '7.8' }).outcome, 'halted');
});

test('memory beyond what the emulator can hold is a budget of its own', () => {
  const report = boot(function* () {
    yield 'memory';
  });
  assert.equal(report.outcome, 'budget');
  assert.match(report.reason, /more memory than the emulator can hold/);
});

for (const [name, firmware, message] of [
  ['14 bytes', new Uint8Array(14).fill(0x90), /14 bytes, fewer than the 15 up to the reset vector/],
  ['empty', new Uint8Array(0), /the firmware file is empty/],
  [
    'a byte more than 4 MiB',
    new Uint8Array(4194305).fill(0x90),
    /4194305 bytes; vmd says "bios image too large" beyond 4 MiB/,
  ],
  ['17 MiB', new Uint8Array(17 << 20).fill(0x90), /17825792 bytes, more than 16 MiB/],
  [
    'erased flash',
    new Uint8Array(0x10000).fill(0xff),
    /reset vector are all 0xff: .* not run here, although a VMM would not look/,
  ],
  ['gzip', Uint8Array.of(0x1f, 0x8b, ...new Uint8Array(100).fill(1)), /compressed with gzip/],
] as const) {
  test(`a firmware image that is ${name} gives a clear message`, () => {
    const report = boot(
      function* () {
        yield;
      },
      { firmware },
    );
    assert.equal(report.outcome, 'vmm-exit');
    assert.match(report.reason, message);
    assert.equal(report.instructions, 0);
  });
}

test('without an image the first probe is booted', () => {
  const report = boot(
    function* (cpu) {
      cpu.print('probe boot-path\nstatus memory-lost\n');
      yield;
    },
    { firmware: null },
  );
  assert.match(report.reason, /The probe boot-path said "memory-lost"/);
  assert.ok(report.findings.some(({ code }) => code === 'boot-probe'));
});

for (const [asked, message] of [
  [{ probe: 'nonsense' }, /no probe guest named "nonsense"/],
  [
    { probe: 'linux-reboot-bios', parameters: { cet: 1 } },
    /The probe linux-reboot-bios has no parameter "cet" \(it has ibt, blob, pti, stack\)/,
  ],
  [{ probe: 'boot-path', parameters: { ibt: 1 } }, /no parameter "ibt" \(it has none\)/],
] as const) {
  test(`the caller's mistake throws: ${message.source}`, () => {
    const program: Program = function* () {
      yield;
    };
    assert.throws(() => boot(program, asked), message);
  });
}

test('of a config that its VMM rejects the report says so, with the first error', () => {
  const program: Program = function* (cpu) {
    cpu.setFlags(2n);
    yield 'halt';
  };
  const error = { code: 'json-syntax', severity: 'error', message: 'A comma is missing.', at: null } as const;
  const rejections = (rejected: readonly Finding[]) =>
    boot(program, { rejected }).findings.filter(({ code }) => code === 'boot-config-rejected');
  assert.match(rejections([error, error])[0]!.message, /A comma is missing\. It is the first of 2 errors\./);
  assert.deepEqual(rejections([]), []);
});
