/* The same guest with a kernel of one's own and a way to hear it. The kernel needs CONFIG_EARLY_PRINTK. */
#include <libkrun.h>
#include <stddef.h>

int main(void)
{
    int ctx_id = krun_create_ctx();

    krun_set_vm_config(ctx_id, 2, 1024);
    krun_set_root(ctx_id, "/srv/alpine");
    krun_add_serial_console_default(ctx_id, 0, 1);
    krun_set_kernel(ctx_id, "/boot/vmlinux", KRUN_KERNEL_FORMAT_ELF, NULL,
                    "reboot=k panic=-1 console=hvc0 earlyprintk=serial,ttyS0,115200");
    return krun_start_enter(ctx_id);
}
