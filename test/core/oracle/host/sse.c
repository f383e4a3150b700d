/*
 * Runs scalar SSE instructions on the host CPU. Standard input: records of (u32 operation, u32 MXCSR, u64 a, u64 b);
 * standard output: records of (u64 result, u32 MXCSR flags, u32 trapped) in the same order. An unmasked exception traps:
 * its result is 0.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

struct request { uint32_t operation, mxcsr; uint64_t a, b; };
struct answer { uint64_t result; uint32_t flags, trapped; };

static sigjmp_buf back;
static volatile uint32_t flags;

static void trap(int number, siginfo_t *info, void *context) {
  (void)number;
  (void)info;
  flags = ((ucontext_t *)context)->uc_mcontext.fpregs->mxcsr & 63;
  siglongjmp(back, 1);
}

#define CONTROL "ldmxcsr %[control]\n\t"
#define DEFAULT "stmxcsr %[state]\n\tldmxcsr %[normal]"
#define MEMORY [control] "m"(control), [normal] "m"(normal)
#define BINARY(name) \
  asm volatile(CONTROL name " %[b], %[a]\n\t" DEFAULT : [a] "+x"(a), [state] "=m"(state) : [b] "x"(b), MEMORY); \
  return a;
#define UNARY(name) \
  asm volatile(CONTROL name " %[b], %[a]\n\t" DEFAULT : [a] "+x"(zero), [state] "=m"(state) : [b] "x"(a), MEMORY); \
  return zero;
#define COMPARE(name) \
  asm volatile(CONTROL name " %[b], %[a]\n\tpushf\n\tpop %[f]\n\t" DEFAULT \
               : [f] "=r"(integer), [state] "=m"(state) : [a] "x"(a), [b] "x"(b), MEMORY); \
  return (__int128)(integer & 0x45);
#define TO_INTEGER(name, register) \
  asm volatile(CONTROL name " %[a], %" register "[f]\n\t" DEFAULT : [f] "=r"(integer), [state] "=m"(state) \
               : [a] "x"(a), MEMORY); \
  return (__int128)integer;
#define FROM_INTEGER(name, register) \
  integer = (uint64_t)a; \
  asm volatile(CONTROL name " %" register "[f], %[a]\n\t" DEFAULT : [a] "+x"(zero), [state] "=m"(state) \
               : [f] "r"(integer), MEMORY); \
  return zero;

static uint32_t state;

static __int128 run(uint32_t operation, uint32_t control, __int128 a, __int128 b) {
  const uint32_t normal = 0x1f80;
  uint64_t integer = 0;
  __int128 zero = 0;
  switch (operation) {
    case 0: BINARY("addss")
    case 1: BINARY("subss")
    case 2: BINARY("mulss")
    case 3: BINARY("divss")
    case 4: UNARY("sqrtss")
    case 5: BINARY("addsd")
    case 6: BINARY("subsd")
    case 7: BINARY("mulsd")
    case 8: BINARY("divsd")
    case 9: UNARY("sqrtsd")
    case 10: COMPARE("ucomiss")
    case 11: COMPARE("comiss")
    case 12: COMPARE("ucomisd")
    case 13: COMPARE("comisd")
    case 14: UNARY("cvtss2sd")
    case 15: UNARY("cvtsd2ss")
    case 16: TO_INTEGER("cvtss2si", "k")
    case 17: TO_INTEGER("cvttss2si", "k")
    case 18: TO_INTEGER("cvtss2si", "q")
    case 19: TO_INTEGER("cvttss2si", "q")
    case 20: TO_INTEGER("cvtsd2si", "k")
    case 21: TO_INTEGER("cvttsd2si", "k")
    case 22: TO_INTEGER("cvtsd2si", "q")
    case 23: TO_INTEGER("cvttsd2si", "q")
    case 24: FROM_INTEGER("cvtsi2ss", "k")
    case 25: FROM_INTEGER("cvtsi2ss", "q")
    case 26: FROM_INTEGER("cvtsi2sd", "k")
    case 27: FROM_INTEGER("cvtsi2sd", "q")
  }
  abort();
}

int main(void) {
  struct sigaction action = {.sa_sigaction = trap, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGFPE, &action, NULL);
  static struct request request;
  while (fread(&request, sizeof request, 1, stdin) == 1) {
    static struct answer answer;
    answer = (struct answer){0};
    if (sigsetjmp(back, 0) == 0) {
      answer.result = (uint64_t)run(request.operation, request.mxcsr, request.a, request.b);
      answer.flags = state & 63;
    } else {
      answer.trapped = 1;
      answer.flags = flags;
    }
    fwrite(&answer, sizeof answer, 1, stdout);
  }
  return 0;
}
