import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { Uart16550 } from '../../../server/src/devices/uart16550';
import { ConsoleAnswers } from '../../../server/src/simulation/consoleAnswers';
import { answersOption } from '../../../server/src/cli/answerOption';
import { HandClock } from '../devices/clock';

const MILLISECOND = 1_000_000;

/** A guest that reads a character each time it is asked. */
function serialPort(answers: readonly string[], fifo = true) {
  const clock = new HandClock();
  const uart = new Uart16550(() => undefined, {
    base: 0x3f8,
    fifo,
    out2Gate: true,
    transmit: () => undefined,
  });
  if (fifo) uart.writePort(0x3fa, 1, 1);
  const typist = new ConsoleAnswers(answersOption(answers), clock, uart);
  const ready = () => (uart.readPort(0x3fd) & 1) !== 0;
  const read = (): string => {
    let text = '';
    while (ready()) text += String.fromCharCode(uart.readPort(0x3f8));
    return text;
  };
  return { clock, uart, typist, read };
}

test('nothing is typed before the prompt', () => {
  const { clock, typist, read } = serialPort(['login:=root\\r']);
  typist.read('Debian log');
  clock.advance(MILLISECOND);
  assert.equal(read(), '');
  typist.read('in: ');
  clock.advance(MILLISECOND);
  assert.equal(read(), 'root\r');
});

test('a receiver without FIFO gets each character when the one before has been read', () => {
  const { clock, typist, read } = serialPort(['>=abc'], false);
  typist.read('>');
  let text = '';
  for (let i = 0; i < 3; i++) {
    clock.advance(10 * MILLISECOND);
    text += read();
  }
  assert.equal(text, 'abc');
});

test('prompts are answered one after the other, each once', () => {
  const { clock, typist, read } = serialPort(['a>=1', 'b>=2']);
  typist.read('b>a>b>a>b>');
  clock.advance(MILLISECOND);
  assert.equal(read(), '12');
});

test('a reply goes on after save and restore', () => {
  const first = serialPort(['>=abcd', '?=e']);
  first.typist.read('>');
  first.clock.advance(0.2 * MILLISECOND);
  const second = serialPort(['>=abcd', '?=e']);
  second.clock.advance(0.2 * MILLISECOND);
  second.uart.restore(first.uart.save());
  second.typist.restore(structuredClone(first.typist.save()));
  second.typist.read('?');
  second.clock.advance(MILLISECOND);
  assert.equal(second.read(), 'abcde');
});

const REPLIES: readonly (readonly [option: string, prompt: string, reply: string])[] = [
  ['boot> =boot bsd.rd\\r', 'boot> ', 'boot bsd.rd\r'],
  ['x=a=b', 'x', 'a=b'],
  ['x=\\x1b[A\\\\\\t', 'x', '\x1b[A\\\t'],
  ['x=', 'x', ''],
];
for (const [option, prompt, reply] of REPLIES) {
  test(`--answer ${JSON.stringify(option)}`, () => {
    assert.deepEqual(answersOption([option]), [{ prompt, reply }]);
  });
}

for (const wrong of ['login', '=root', 'x=\\q', 'x=\\']) {
  test(`--answer ${JSON.stringify(wrong)} is bad usage`, () => {
    assert.throws(() => answersOption([wrong]), /--answer/);
  });
}
