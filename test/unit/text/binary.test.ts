import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { bootpathService } from '../../../server/src/service';
import { SourceText } from '../../../server/src/text/sourceText';

/** Each with a NUL on its last line but one. */
const TEXTS = {
  firecracker: '{"boot-source": {"kernel_image_path": "/k"},\n\0 "drives": []\n}',
  'cloud-hypervisor': '{"cpus": {"boot_vcpus": 1, "max_vcpus": 1},\n\0 "payload": {"kernel": "/k"}\n}',
  boxlite: '{"rootfs": {"Image": "a"}, "memory_mib": 512,\n\0 "cpus": 1\n}',
  propolis: '[main]\nname = "a"\ncpus = 1\nbootrom = "/r"\nmemory = 512\n\0\n',
  vmconf: 'vm "a" {\n\tdisk "/x"\n\0\n}\n',
};

for (const [kind, text] of Object.entries(TEXTS)) {
  test(`${kind}: a NUL is an error at its line, and the text is still recognised`, () => {
    const language = bootpathService.claim('', text, '');
    assert.equal(language?.kind, kind);
    const document = bootpathService.parse(language, new SourceText('file:///a', text), {
      files: new Map(),
    });
    const line = text.slice(0, text.indexOf('\0')).split('\n').length - 1;
    const errors = bootpathService.findings(document).filter(({ severity }) => severity === 'error');
    assert.equal(errors[0]?.at?.range.start.line, line);
  });

  test(`${kind}: a text in UTF-16 that was read as UTF-8 is no config`, () => {
    const wide = [...text].join('\0');
    assert.equal(bootpathService.claim('', wide, ''), null);
  });
}
