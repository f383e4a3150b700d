/*
 * Runs prepared cases (../stepper/records.ts) on the CPU of this machine, in user mode: 64-bit code, 32-bit code in a
 * compatibility-mode segment, or 16-bit code in a segment of the local descriptor table. Cases come on standard input,
 * results go to standard output. usage: stepper 16|32|64
 *
 * A case is entered by returning from a signal with its registers and TF set; each signal that follows is one step of it:
 * SIGTRAP after an instruction, another signal for a fault, whose vector, error code and CR2 the kernel hands over. The
 * handler uses no thread-local storage, as the cases have FS for themselves. A case that neither steps nor faults for a second
 * ends with the vector HUNG.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#define ARENA 0x20000UL
#define FS_BASE 0x10000UL
#define GS_BASE 0x8000UL
#define CODE_START 0x1f00
#define CODE_SIZE 256
#define WINDOW_BYTES 960
/* No vector: the CPU, or the hypervisor around it, did not come back from the instruction. */
#define HUNG 255

struct test_case {
  uint32_t steps, options;
  uint64_t general[16], rip, rflags, spare;
  uint8_t memory[WINDOW_BYTES];
  uint16_t masks[CODE_SIZE];
  uint8_t fx[512];
  uint8_t pad[0x20];
};
struct result {
  uint32_t steps, vector, error, spare;
  uint64_t cr2, general[16], rip, rflags;
  uint16_t selectors[12];
  uint8_t memory[WINDOW_BYTES];
  uint64_t last, pad;
  uint8_t fx[512];
  uint8_t pad2[0x30];
};
_Static_assert(sizeof(struct test_case) == 0x880, "as in records.ts");
_Static_assert(sizeof(struct result) == 0x6c0, "as in records.ts");

static const struct { uint16_t at, size; } windows[] = {
  {0x1f00, 256}, {0x4f80, 256}, {0x5fc0, 64}, {0x9f00, 256}, {0x9000, 64}, {0xffc0, 64},
};
/* RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15 */
static const int order[16] = {
  REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
  REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static struct test_case *cases;
static struct result *results;
static size_t count, current, watched;
static uint32_t watched_steps;
/* As FNINIT and RESET leave x87 and SSE. */
static const uint8_t initial_fx[416] = {[0] = 0x7f, [1] = 0x03, [24] = 0x80, [25] = 0x1f};
static int bits, running;
static uint32_t steps;
static uint64_t last;

static long system_call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}

static void copy(void *to, const void *from, size_t size) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static void finish(void) {
  const char *at = (const char *)results;
  size_t left = count * sizeof *results;
  while (left > 0) {
    long written = system_call(SYS_write, 1, (long)at, (long)left);
    if (written <= 0) system_call(SYS_exit_group, 1, 0, 0);
    at += written;
    left -= written;
  }
  system_call(SYS_exit_group, 0, 0, 0);
}

static void enter(ucontext_t *context) {
  greg_t *registers = context->uc_mcontext.gregs;
  if (current == count) finish();
  const struct test_case *c = &cases[current];
  const uint8_t *from = c->memory;
  for (unsigned i = 0; i < sizeof windows / sizeof *windows; i++) {
    copy((void *)(ARENA + windows[i].at), from, windows[i].size);
    from += windows[i].size;
  }
  for (int i = 0; i < 16; i++) registers[order[i]] = c->general[i];
  registers[REG_RIP] = c->rip;
  registers[REG_EFL] = c->rflags;
  uint64_t code = bits == 64 ? 0x33 : bits == 32 ? 0x23 : 0x07;
  uint64_t data = bits == 16 ? 0x0f : 0x2b;
  registers[REG_CSGSFS] = code | data << 48;
  context->uc_flags |= 6; /* UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS: SS is as given */
  uint16_t others = bits == 64 ? 0 : data;
  __asm__ volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"((uint32_t)others));
  if (bits == 64) {
    system_call(SYS_arch_prctl, ARCH_SET_FS, FS_BASE, 0);
    system_call(SYS_arch_prctl, ARCH_SET_GS, GS_BASE, 0);
  }
  uint8_t *fx = (uint8_t *)context->uc_mcontext.fpregs;
  copy(fx, c->options & 1 ? c->fx : initial_fx, 416);
  if (*(uint32_t *)(fx + 464) == 0x46505853) *(uint64_t *)(fx + 512) |= 3; /* FP_XSTATE_MAGIC1: x87 and SSE are in use */
  steps = 0;
  last = c->rip;
}

static void on_signal(int signal, siginfo_t *info, void *context_) {
  (void)info;
  ucontext_t *context = context_;
  greg_t *registers = context->uc_mcontext.gregs;
  __asm__ volatile("push $0x202; popfq" : : : "memory", "cc");
  if (!running) {
    running = 1;
    enter(context);
    return;
  }
  if (signal == SIGALRM && (watched != current || watched_steps != steps)) {
    watched = current;
    watched_steps = steps;
    context->uc_flags |= 6;
    return;
  }
  const struct test_case *c = &cases[current];
  uint64_t offset = last - c->rip + (c->rip & (CODE_SIZE - 1));
  uint32_t vector = signal == SIGALRM ? HUNG : registers[REG_TRAPNO];
  int stepped = signal == SIGTRAP && vector == 1;
  if (stepped) {
    steps++;
    if (offset < CODE_SIZE) registers[REG_EFL] &= ~(uint64_t)c->masks[offset];
    uint64_t start = c->rip & ~(uint64_t)(CODE_SIZE - 1), rip = registers[REG_RIP];
    uint64_t code = bits == 64 ? 0x33 : bits == 32 ? 0x23 : 0x07;
    if (steps < c->steps && rip - start < CODE_SIZE && (uint16_t)registers[REG_CSGSFS] == code) {
      last = rip;
      context->uc_flags |= 6;
      return;
    }
  }
  struct result *r = &results[current];
  r->steps = steps;
  r->vector = vector;
  r->error = registers[REG_ERR];
  r->cr2 = vector == 14 ? registers[REG_CR2] : 0;
  for (int i = 0; i < 16; i++) r->general[i] = registers[order[i]];
  r->rip = registers[REG_RIP];
  r->rflags = registers[REG_EFL];
  r->last = last;
  r->selectors[0] = registers[REG_CSGSFS];
  r->selectors[1] = registers[REG_CSGSFS] >> 48;
  __asm__ volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
                   : "=m"(r->selectors[2]), "=m"(r->selectors[3]), "=m"(r->selectors[4]), "=m"(r->selectors[5]));
  uint8_t *to = r->memory;
  for (unsigned i = 0; i < sizeof windows / sizeof *windows; i++) {
    copy(to, (void *)(ARENA + windows[i].at), windows[i].size);
    to += windows[i].size;
  }
  if (c->options & 1) copy(r->fx, context->uc_mcontext.fpregs, 416);
  current++;
  enter(context);
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void page(unsigned number, int protection) {
  void *at = (void *)(ARENA + number * 0x1000UL);
  if (mmap(at, 0x1000, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at) fail("mmap");
}

int main(int argc, char **argv) {
  bits = argc > 1 ? atoi(argv[1]) : 64;
  size_t size = 0, room = 1 << 20;
  uint8_t *input = malloc(room);
  for (size_t got; (got = fread(input + size, 1, room - size, stdin)) > 0;) {
    size += got;
    if (size == room && !(input = realloc(input, room *= 2))) fail("realloc");
  }
  cases = (struct test_case *)input;
  count = size / sizeof *cases;
  results = calloc(count + 1, sizeof *results);

  static const unsigned writable[] = {0x1, 0x4, 0x5, 0x9, 0xf};
  for (unsigned i = 0; i < sizeof writable / sizeof *writable; i++) page(writable[i], PROT_READ | PROT_WRITE | PROT_EXEC);
  page(7, PROT_READ | PROT_WRITE);
  for (int i = 0; i < 64; i++) ((uint8_t *)(ARENA + 0x7000))[i] = i;
  if (mprotect((void *)(ARENA + 0x7000), 0x1000, PROT_READ)) fail("mprotect");

  for (int entry = 0; entry < 2; entry++) {
    struct user_desc segment = {.entry_number = entry, .base_addr = ARENA, .limit = 0xffff, .contents = entry ? 0 : 2};
    if (syscall(SYS_modify_ldt, 1, &segment, sizeof segment)) fail("modify_ldt");
  }
  stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
  if (sigaltstack(&stack, NULL)) fail("sigaltstack");
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigfillset(&action.sa_mask);
  static const int signals[] = {SIGUSR1, SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGSYS, SIGALRM};
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);
  struct itimerval second = {.it_interval = {.tv_sec = 1}, .it_value = {.tv_sec = 1}};
  if (setitimer(ITIMER_REAL, &second, NULL)) fail("setitimer");
  raise(SIGUSR1);
  return 1;
}
