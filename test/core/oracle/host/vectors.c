/*
 * Runs single instructions on the host CPU with a whole register state: general registers, flags, and x87, MMX, XMM and
 * MXCSR as an FXSAVE image. Standard input: records of struct request; standard output: one struct answer for each. Two pages
 * at DATA are writable, the page behind them is not mapped; the instruction lies at CODE. A fault is answered with its
 * vector, error code and CR2.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define DATA 0x200000UL
#define CODE 0x210800UL
/* The parts of DATA that a request fills: around the border of the two pages, and the end of the second. */
#define BORDER 0xfe0
#define BORDER_SIZE 64
#define END 0x1fe0
#define END_SIZE 32
/* Offset from CODE of the address that the instruction is left to. */
#define TARGET 64
#define NO_VECTOR 0xffffffff

struct request {
  uint8_t code[15], length;
  /* In encoding order; RFLAGS in the place of RSP. */
  uint64_t general[16];
  uint8_t fx[512];
  uint8_t memory[BORDER_SIZE + END_SIZE];
};
struct answer {
  uint32_t vector, error;
  uint64_t cr2, general[16];
  uint8_t fx[512];
  uint8_t memory[BORDER_SIZE + END_SIZE];
};

struct request request __attribute__((aligned(16)));
struct answer answer __attribute__((aligned(16)));
uint64_t host_stack;
uint32_t normal_mxcsr = 0x1f80;
uint64_t code_address = CODE;
extern char after[];
void enter(void);

/* offsetof(struct request, general) is 16, fx 144; offsetof(struct answer, general) is 16, fx 144. */
asm(".globl enter, after\n"
    "enter:\n"
    "  push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "  mov %rsp, host_stack(%rip)\n"
    "  fxrstor request+144(%rip)\n"
    "  pushq request+48(%rip)\n"
    "  popfq\n"
    "  mov request+16(%rip), %rax\n"
    "  mov request+24(%rip), %rcx\n"
    "  mov request+32(%rip), %rdx\n"
    "  mov request+40(%rip), %rbx\n"
    "  mov request+56(%rip), %rbp\n"
    "  mov request+64(%rip), %rsi\n"
    "  mov request+72(%rip), %rdi\n"
    "  mov request+80(%rip), %r8\n"
    "  mov request+88(%rip), %r9\n"
    "  mov request+96(%rip), %r10\n"
    "  mov request+104(%rip), %r11\n"
    "  mov request+112(%rip), %r12\n"
    "  mov request+120(%rip), %r13\n"
    "  mov request+128(%rip), %r14\n"
    "  mov request+136(%rip), %r15\n"
    "  jmp *code_address(%rip)\n"
    "after:\n"
    "  mov %rax, answer+16(%rip)\n"
    "  mov %rcx, answer+24(%rip)\n"
    "  mov %rdx, answer+32(%rip)\n"
    "  mov %rbx, answer+40(%rip)\n"
    "  mov %rbp, answer+56(%rip)\n"
    "  mov %rsi, answer+64(%rip)\n"
    "  mov %rdi, answer+72(%rip)\n"
    "  mov %r8, answer+80(%rip)\n"
    "  mov %r9, answer+88(%rip)\n"
    "  mov %r10, answer+96(%rip)\n"
    "  mov %r11, answer+104(%rip)\n"
    "  mov %r12, answer+112(%rip)\n"
    "  mov %r13, answer+120(%rip)\n"
    "  mov %r14, answer+128(%rip)\n"
    "  mov %r15, answer+136(%rip)\n"
    "  mov host_stack(%rip), %rsp\n"
    "  pushfq\n"
    "  popq answer+48(%rip)\n"
    "  pushq $2\n"
    "  popfq\n"
    "  fxsave answer+144(%rip)\n"
    "  fninit\n"
    "  ldmxcsr normal_mxcsr(%rip)\n"
    "  pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "  ret\n");

static void fault(int number, siginfo_t *info, void *context) {
  /* The code under test may have set AC. */
  asm volatile("pushq $2; popfq" ::: "cc", "memory");
  greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
  (void)number;
  (void)info;
  answer.vector = (uint32_t)r[REG_TRAPNO];
  answer.error = (uint32_t)r[REG_ERR];
  answer.cr2 = answer.vector == 14 ? (uint64_t)r[REG_CR2] : 0;
  r[REG_RIP] = (greg_t)(uintptr_t)after;
}

int main(void) {
  static char handler_stack[1 << 16];
  const stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
  const struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  const int signals[] = {SIGILL, SIGSEGV, SIGFPE, SIGBUS, SIGTRAP};
  const int fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  sigaltstack(&stack, 0);
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
  uint8_t *data = mmap((void *)DATA, 0x2000, PROT_READ | PROT_WRITE, fixed, -1, 0);
  uint8_t *code = mmap((void *)(CODE & ~0xfffUL), 0x1000, PROT_READ | PROT_WRITE | PROT_EXEC, fixed, -1, 0);
  if (data == MAP_FAILED || code == MAP_FAILED) return 2;
  code += CODE & 0xfff;
  const uint64_t target = (uint64_t)(uintptr_t)after;
  memcpy(code + TARGET, &target, 8);
  while (fread(&request, sizeof request, 1, stdin) == 1) {
    memcpy(data + BORDER, request.memory, BORDER_SIZE);
    memcpy(data + END, request.memory + BORDER_SIZE, END_SIZE);
    memcpy(code, request.code, request.length);
    /* jmp [rip+displacement]: the target lies aligned, as AC may be set. */
    const uint32_t displacement = TARGET - request.length - 6;
    memcpy(code + request.length, "\xff\x25", 2);
    memcpy(code + request.length + 2, &displacement, 4);
    memset(&answer, 0, sizeof answer);
    answer.vector = NO_VECTOR;
    enter();
    memcpy(answer.memory, data + BORDER, BORDER_SIZE);
    memcpy(answer.memory + BORDER_SIZE, data + END, END_SIZE);
    fwrite(&answer, sizeof answer, 1, stdout);
  }
  return 0;
}
