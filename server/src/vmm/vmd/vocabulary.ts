/** The words of vm.conf: which are reserved, where each may stand, and what it does. */

/** Where a word may begin a statement or an option, or what it follows. */
export type Place =
  | 'top'
  | 'vm'
  | 'switch'
  | 'interface'
  | 'instance'
  | 'boot-device'
  | 'agentx'
  /** Only after other words: `prefix`, `start`, `parallel`. */
  | 'argument';

export interface Word {
  readonly word: string;
  readonly places: readonly Place[];
  /** The form, as in a manual: `memory bytes`. */
  readonly usage: string;
  readonly text: string;
}

/** Reserved words of the grammar up to parse.y rev 1.49 (2018). `add`, `id` and `size` have no production. */
export const KEYWORDS_2018: ReadonlySet<string> = new Set(
  (
    'add allow boot cdrom disable disk down enable format group id include inet6 instance interface interfaces ' +
    'lladdr local locked memory owner prefix rdomain size socket switch up vm'
  ).split(' '),
);

/** Reserved words of parse.y rev 1.72 (2025-06-03). */
export const KEYWORDS: ReadonlySet<string> = new Set([
  ...KEYWORDS_2018,
  ...'agentx context delay device net parallel path sev seves staggered start'.split(' '),
]);

/** Words that the lexer reserves and no rule of the grammar takes. */
export const DEAD_KEYWORDS: ReadonlySet<string> = new Set(['add', 'id', 'size']);

/** Options of the first vm.conf (2015) and of other VMMs that people try. */
export const RETIRED_OPTIONS: ReadonlyMap<string, string> = new Map([
  ['kernel', 'boot'],
  ['add', 'interface'],
  ['nifs', 'interfaces'],
  ['image', 'disk'],
  ['iso', 'cdrom'],
]);

/** Names that a keyword for the number of vCPUs could have; vmd grows SMP guests since September 2026. */
export const VCPU_WORDS: ReadonlySet<string> = new Set([
  'cpu',
  'cpus',
  'ncpu',
  'ncpus',
  'vcpu',
  'vcpus',
  'smp',
]);

export const WORDS: readonly Word[] = [
  {
    word: 'vm',
    places: ['top'],
    usage: 'vm name [instance name] { option … }',
    text: 'Declares a virtual machine. The name takes letters, digits, `.`, `-` and `_`, and begins with a letter or digit. `vm parent instance child` derives the child from a VM declared before it.',
  },
  {
    word: 'switch',
    places: ['top', 'interface'],
    usage: 'switch name { option … }  ·  in an interface: switch name',
    text: 'At top level: names a bridge of the host that interfaces of VMs can join. In an interface: joins the switch of that name; vmd ignores a name that no switch has.',
  },
  {
    word: 'include',
    places: ['top'],
    usage: 'include path',
    text: 'Reads another file as if its lines stood here. Macros defined before it are known inside, and those that it defines are known after it.',
  },
  {
    word: 'local',
    places: ['top', 'vm'],
    usage: 'local prefix address/len  ·  local inet6 [prefix address/len]  ·  local interface …',
    text: 'At top level: the network from which local interfaces get their subnets (100.64.0.0/10 unless given). Before `interface`: an interface with its own subnet, a gateway on the host and a small DHCP server.',
  },
  {
    word: 'inet6',
    places: ['argument'],
    usage: 'local inet6 [prefix address/len]',
    text: 'Gives local interfaces IPv6 subnets too, from the prefix (length 0 to 64) or from a random unique-local one.',
  },
  {
    word: 'prefix',
    places: ['argument'],
    usage: 'local [inet6] prefix address/len',
    text: 'A network address with its length: 1 to 16 for IPv4, 0 to 64 for IPv6. The host bits must be zero. vmd keeps the last 16 bits for the VM and the interface.',
  },
  {
    word: 'socket',
    places: ['top'],
    usage: 'socket owner user[:group]',
    text: "Who may talk to vmd's control socket, and so use vmctl(8) with restrictions. root:wheel unless given.",
  },
  {
    word: 'agentx',
    places: ['top'],
    usage: 'agentx [context name] [path socket]',
    text: 'Exports VM information to snmpd(8) over AgentX. The path must be absolute.',
  },
  {
    word: 'context',
    places: ['agentx'],
    usage: 'context name',
    text: 'The SNMP context to register in; at most 32 bytes.',
  },
  {
    word: 'path',
    places: ['agentx'],
    usage: 'path socket',
    text: 'The AgentX master socket, as an absolute path.',
  },
  {
    word: 'staggered',
    places: ['top'],
    usage: 'staggered start parallel number delay seconds',
    text: 'Starts the VMs a few at a time: `parallel` of them every `delay` seconds.',
  },
  {
    word: 'start',
    places: ['argument'],
    usage: 'staggered start parallel number delay seconds',
    text: 'Part of `staggered start`.',
  },
  {
    word: 'parallel',
    places: ['argument'],
    usage: 'parallel number',
    text: 'How many VMs start at the same time.',
  },
  {
    word: 'delay',
    places: ['argument'],
    usage: 'delay seconds',
    text: 'Seconds between two batches of a staggered start.',
  },
  {
    word: 'memory',
    places: ['vm', 'instance'],
    usage: 'memory bytes',
    text: 'Guest memory: a number of **bytes**, or a number with one of B K M G T P E (powers of 1024). Rounded down to whole MiB, 512 MiB unless given. The range between the end of low memory and 1 MiB comes out of it too.',
  },
  {
    word: 'disk',
    places: ['vm', 'instance', 'boot-device'],
    usage: 'disk path [format raw|qcow2]',
    text: 'A disk image; it must exist when vmd reads the file. At most four a VM. The format is taken from the image where it is not given. One disk a line: adjacent strings are joined to one path.',
  },
  {
    word: 'format',
    places: ['argument'],
    usage: 'format raw|qcow2',
    text: 'The format of a disk image; upper or lower case.',
  },
  {
    word: 'boot',
    places: ['vm', 'instance'],
    usage: 'boot path  ·  boot device cdrom|disk|net',
    text: 'With a path: a kernel (ELF, may be gzipped) or a BIOS image to start instead of /etc/firmware/vmm-bios. With `device`: the only device that the BIOS boots from; vmd then stops the VM when it resets, instead of starting it again.',
  },
  {
    word: 'device',
    places: ['argument'],
    usage: 'boot device cdrom|disk|net',
    text: 'Which device to boot from.',
  },
  {
    word: 'net',
    places: ['boot-device'],
    usage: 'boot device net',
    text: 'Starts the `boot` kernel as if it had come over the network, and offers autoinstall(8) in the DHCP lease.',
  },
  {
    word: 'cdrom',
    places: ['vm', 'instance', 'boot-device'],
    usage: 'cdrom path',
    text: 'An ISO image, attached as a virtio SCSI CD drive. One a VM.',
  },
  {
    word: 'interface',
    places: ['vm', 'switch', 'instance'],
    usage: '[local] interface [tap|tapN] [{ option … }]  ·  in a switch: interface name',
    text: 'In a VM: adds a network interface, on the next free tap(4) or on the one named; at most four. In a switch: the bridge(4) or veb(4) of the host that it stands for.',
  },
  {
    word: 'interfaces',
    places: ['vm'],
    usage: 'interfaces count',
    text: 'The least number of interfaces, 0 to 4. Where there are fewer `interface` lines, plain ones are added.',
  },
  {
    word: 'owner',
    places: ['vm', 'instance', 'argument'],
    usage: 'owner user[:group]  ·  owner :group',
    text: 'Who may start, stop, pause and open the console of the VM. In `allow instance`: who may derive VMs from this one.',
  },
  {
    word: 'allow',
    places: ['vm'],
    usage: 'allow instance { boot, cdrom, disk, instance, interface, memory, owner user }',
    text: 'What users may set in VMs that they derive from this one. Without it only root can derive any.',
  },
  {
    word: 'instance',
    places: ['instance', 'argument'],
    usage: 'vm parent instance child { … }  ·  allow instance { … }',
    text: 'Derives a VM from another. Memory, interfaces, CD and the owning user are inherited; disks and the boot image are not.',
  },
  {
    word: 'enable',
    places: ['vm', 'switch'],
    usage: 'enable',
    text: 'Starts the VM, or sets the switch up, with vmd. The default.',
  },
  {
    word: 'disable',
    places: ['vm', 'switch'],
    usage: 'disable',
    text: 'A VM is known but not started. A switch is dropped altogether: interfaces that name it join nothing.',
  },
  { word: 'sev', places: ['vm'], usage: 'sev', text: 'Encrypts guest memory with AMD SEV.' },
  {
    word: 'seves',
    places: ['vm'],
    usage: 'seves',
    text: 'Encrypts guest memory and registers with AMD SEV-ES; includes `sev`.',
  },
  {
    word: 'group',
    places: ['switch', 'interface'],
    usage: 'group name',
    text: 'Puts the interface, or each interface of the switch, into an interface group for pf.conf(5). At most 15 characters, no digit at the end.',
  },
  {
    word: 'locked',
    places: ['switch', 'interface'],
    usage: 'locked lladdr [address]',
    text: "Drops packets from the guest that do not carry the interface's own MAC address.",
  },
  {
    word: 'lladdr',
    places: ['interface', 'argument'],
    usage: '[locked] lladdr [address]',
    text: "The guest's MAC address; random without an address.",
  },
  {
    word: 'rdomain',
    places: ['switch', 'interface'],
    usage: 'rdomain id',
    text: "Routing domain, 0 to 255. An interface's own wins over its switch's.",
  },
  { word: 'up', places: ['switch', 'interface'], usage: 'up', text: 'Forwards packets. The default.' },
  { word: 'down', places: ['switch', 'interface'], usage: 'down', text: 'Does not forward packets.' },
];

const BY_WORD: ReadonlyMap<string, Word> = new Map(WORDS.map((entry) => [entry.word, entry]));

export function wordOf(word: string): Word | undefined {
  return BY_WORD.get(word);
}

export function wordsAt(place: Place): readonly Word[] {
  return WORDS.filter((entry) => entry.places.includes(place));
}
