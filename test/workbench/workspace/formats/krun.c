#include <libkrun.h>

int start(uint32_t ctx)
{
	return krun_set_vm_config(ctx, 2, 1024);
}
