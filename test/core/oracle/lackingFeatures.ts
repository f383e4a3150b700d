/**
 * Instructions that CPUs of today have and the core lacks (server/emulator/coreFeatures.ts), by feature: opcode map, opcodes
 * and prefixes (SDM vol. 2, appendix A; APM vol. 3, appendix A). On the core each of them must be #UD.
 */
import { has, isMemory, register, repeat, type Opcode } from './fuzz/opcode';

interface Lacking {
  readonly feature: string;
  readonly matches: (o: Opcode) => boolean;
}

/** 66, F3, F2 as the mandatory prefix; 0 is none. */
function mandatory(o: Opcode): number {
  const which = repeat(o);
  return which !== 0 ? which : has(o, 0x66) ? 0x66 : 0;
}

const behind =
  (map: number, prefixes: readonly number[], first: number, last = first) =>
  (o: Opcode): boolean =>
    o.map === map && o.opcode >= first && o.opcode <= last && prefixes.includes(mandatory(o));

export const LACKING: readonly Lacking[] = [
  { feature: 'AVX and everything else with VEX', matches: ({ map }) => map === 5 },
  { feature: 'AVX-512', matches: ({ map }) => map === 6 },
  { feature: 'SSE4.2: PCMPGTQ', matches: behind(3, [0x66], 0x37) },
  { feature: 'SSE4.2: PCMPESTRM to PCMPISTRI', matches: behind(4, [0x66], 0x60, 0x63) },
  { feature: 'SSE4.2: CRC32', matches: behind(3, [0xf2], 0xf0, 0xf1) },
  { feature: 'AESNI', matches: behind(3, [0x66], 0xdb, 0xdf) },
  { feature: 'AESNI: AESKEYGENASSIST', matches: behind(4, [0x66], 0xdf) },
  { feature: 'PCLMULQDQ', matches: behind(4, [0x66], 0x44) },
  { feature: 'SHA', matches: behind(3, [0], 0xc8, 0xcd) },
  { feature: 'SHA: SHA1RNDS4', matches: behind(4, [0], 0xcc) },
  { feature: 'GFNI: GF2P8MULB', matches: behind(3, [0x66], 0xcf) },
  { feature: 'GFNI: GF2P8AFFINEQB and GF2P8AFFINEINVQB', matches: behind(4, [0x66], 0xce, 0xcf) },
  { feature: 'ADX', matches: behind(3, [0x66, 0xf3], 0xf6) },
  { feature: 'SSE4A: EXTRQ and INSERTQ', matches: behind(2, [0x66, 0xf2], 0x78, 0x79) },
  { feature: 'SSE4A: MOVNTSS and MOVNTSD', matches: behind(2, [0xf2, 0xf3], 0x2b) },
  { feature: 'MOVDIRI', matches: (o) => behind(3, [0], 0xf9)(o) && isMemory(o) },
  { feature: 'MOVDIR64B', matches: (o) => behind(3, [0x66], 0xf8)(o) && isMemory(o) },
  {
    feature: 'INVLPGB, TLBSYNC, and SEV-SNP: RMPADJUST, RMPUPDATE, PSMASH, PVALIDATE',
    matches: (o) => o.map === 2 && o.opcode === 0x01 && (o.modrm === 0xfe || o.modrm === 0xff),
  },
  {
    feature: 'RDSEED',
    matches: (o) => o.map === 2 && o.opcode === 0xc7 && !isMemory(o) && register(o) === 7,
  },
];

export const lacks = (o: Opcode): string | null => LACKING.find(({ matches }) => matches(o))?.feature ?? null;
