/* A kernel of one's own that is heard on a serial port. */
#include <libkrun.h>
#include <stddef.h>

int main(void)
{
    int ctx_id = krun_create_ctx();

    krun_set_vm_config(ctx_id, 1, 256);
    krun_add_serial_console_default(ctx_id, 0, 1);
    krun_set_kernel(ctx_id, "vmlinux", KRUN_KERNEL_FORMAT_ELF, NULL,
                    "console=ttyS0 earlyprintk=ttyS0 panic=-1 reboot=k");
    return krun_start_enter(ctx_id);
}
