/** The parameters of libkrun's API (containers/libkrun include/libkrun.h, v1.19.0), without the context that comes first. */

/** Names of the parameters, and which of them is a path to link. */
export interface ApiCall {
  readonly parameters: readonly string[];
  readonly paths?: readonly string[];
}

export const API_CALLS: Readonly<Record<string, ApiCall>> = {
  krun_set_vm_config: { parameters: ['num_vcpus', 'ram_mib'] },
  krun_set_root: { parameters: ['root_path'], paths: ['root_path'] },
  krun_set_root_disk: { parameters: ['disk_path'], paths: ['disk_path'] },
  krun_set_data_disk: { parameters: ['disk_path'], paths: ['disk_path'] },
  krun_add_disk: { parameters: ['block_id', 'disk_path', 'read_only'], paths: ['disk_path'] },
  krun_add_disk2: {
    parameters: ['block_id', 'disk_path', 'disk_format', 'read_only'],
    paths: ['disk_path'],
  },
  krun_add_disk3: {
    parameters: ['block_id', 'disk_path', 'disk_format', 'read_only', 'direct_io', 'sync_mode'],
    paths: ['disk_path'],
  },
  krun_set_root_disk_remount: { parameters: ['device', 'fstype', 'options'] },
  krun_add_virtiofs: { parameters: ['c_tag', 'c_path'], paths: ['c_path'] },
  krun_add_virtiofs2: { parameters: ['c_tag', 'c_path', 'shm_size'], paths: ['c_path'] },
  krun_add_virtiofs3: { parameters: ['c_tag', 'c_path', 'shm_size', 'read_only'], paths: ['c_path'] },
  krun_set_kernel: {
    parameters: ['kernel_path', 'kernel_format', 'initramfs', 'cmdline'],
    paths: ['kernel_path', 'initramfs'],
  },
  krun_set_firmware: { parameters: ['firmware_path'], paths: ['firmware_path'] },
  krun_set_kernel_console: { parameters: ['console_id'] },
  krun_set_console_output: { parameters: ['c_filepath'] },
  krun_disable_implicit_console: { parameters: [] },
  krun_add_serial_console_default: { parameters: ['input_fd', 'output_fd'] },
  krun_add_virtio_console_default: { parameters: ['input_fd', 'output_fd', 'err_fd'] },
  krun_disable_implicit_vsock: { parameters: [] },
  krun_add_vsock: { parameters: ['tsi_features'] },
  krun_split_irqchip: { parameters: ['enable'] },
  krun_set_nested_virt: { parameters: ['enabled'] },
  krun_set_workdir: { parameters: ['workdir_path'] },
  krun_set_tee_config_file: { parameters: ['filepath'], paths: ['filepath'] },
};
