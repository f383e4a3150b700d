/*
 * Runs position-independent machine code on the host CPU. Standard input: batches of (u32 length of the code, u32 count,
 * u32 size of a record, u32 0), the code, the records. The code is called with RSI at the first record and RCX the count;
 * it may change what it likes but RBX, RBP, RSP and R12 to R15. Standard output: the records afterwards.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct batch { uint32_t length, count, size, zero; };

static void call(void *code, void *records, uint64_t count) {
  const uint32_t mxcsr = 0x1f80;
  asm volatile(
      "sub $256, %%rsp\n\tcall *%%rax\n\tadd $256, %%rsp\n\tfninit\n\tldmxcsr %[mxcsr]"
      : "+a"(code), "+S"(records), "+c"(count)
      : [mxcsr] "m"(mxcsr)
      : "rdx", "rdi", "r8", "r9", "r10", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
        "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

int main(void) {
  uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) return 1;
  struct batch batch;
  while (fread(&batch, sizeof batch, 1, stdin) == 1) {
    size_t bytes = (size_t)batch.count * batch.size;
    uint8_t *records = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!records || batch.length > 4095) return 1;
    if (fread(code, 1, batch.length, stdin) != batch.length || fread(records, 1, bytes, stdin) != bytes) return 1;
    code[batch.length] = 0xc3;
    call(code, records, batch.count);
    fwrite(records, 1, bytes, stdout);
    free(records);
  }
  return 0;
}
