/** A vm.conf that Ansible fills in: what is certain is told, and nothing about what is filled in. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { codes, findings, read } from './read';

const TEMPLATE = `sets="{{ vmm_dir }}/sets/"

switch "veb" {
	interface veb0
}

vm "{{ first["name"] }}" {
	memory {{ ram }}
	owner {{ user }}
	cdrom $sets install.iso
	disk {{ vmm_dir }}/first.qcow2
	interface tap { switch "veb" }
}
`;

test('expressions are words that nobody knows yet', () => {
  assert.deepEqual(codes(TEMPLATE), []);
  const { machines, config } = read(TEMPLATE);
  assert.equal(config.vms.length, 1);
  assert.equal(machines.length, 1);
  assert.deepEqual(
    machines[0]!.images.map(({ path }) => path),
    [],
  );
});

test('what is written out is checked', () => {
  assert.deepEqual(codes(TEMPLATE.replace('switch "veb" }', 'switch "vbe" }')), ['vmconf-switch-undefined']);
  assert.deepEqual(codes(TEMPLATE.replace('owner', 'onwer')), ['vmconf-unknown-option']);
});

test('with statements nothing is certain: a branch may be left out, a loop made many times', () => {
  const branches = TEMPLATE.replace(
    '\tmemory {{ ram }}\n',
    '{% if big %}\n\tmemory 8G\n{% else %}\n\tmemory 1G\n{% endif %}\n{# a comment #}\n',
  );
  assert.deepEqual(findings(branches), []);
  assert.equal(read(branches).config.vms.length, 1);
});

test('a template that is being typed is read to its end', () => {
  for (const text of [
    'vm "a" {\n\tmemory {{ ',
    'vm "{{ a',
    'vm a {\n\tdisk "{{ x }}',
    '{% for',
    '{{'.repeat(5000),
  ])
    read(text);
});

test('a brace with a comment behind it is no template', () => {
  assert.deepEqual(codes('vm "a" {# comment\n\tdisk "/a"\n}\n'), []);
});
