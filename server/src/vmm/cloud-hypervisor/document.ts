/** A VM's JSON for Cloud Hypervisor as a Document: one machine, with the place of every option. */
import type { Document, ParseContext, PathLink } from '../../machine/language';
import {
  jsonAt,
  jsonMember,
  parseJson,
  type JsonMember,
  type JsonNode,
  type JsonText,
} from '../../text/json';
import { configOfJson } from '../../text/shape/fromJson';
import type { ConfigNode } from '../../text/shape/node';
import type { SourceText } from '../../text/sourceText';
import { configDocument } from '../configDocument';
import { jsonFindings, jsonOutline } from '../jsonConfig';
import { chooseVersion } from '../versionChoice';
import { imagesOf, machineOf } from './machine';
import { NAME } from './origin';
import { CLOUD_HYPERVISOR_VERSIONS } from './versions';

export interface CloudHypervisorDocument extends Document {
  readonly language: 'cloud-hypervisor';
  readonly json: JsonText;
  /** The object that `vm.create` takes, also where the text wraps it (`vm.info` gives it as `config`). */
  readonly vm: JsonNode | null;
  /** The same object, for the shape and the rules. */
  readonly config: ConfigNode | null;
  /** The key in which the text wraps that object; null where it does not. */
  readonly wrapper: JsonMember | null;
}

export function isCloudHypervisorDocument(document: Document): document is CloudHypervisorDocument {
  return document.language === 'cloud-hypervisor';
}

const VERSIONS = { vmm: NAME, versions: CLOUD_HYPERVISOR_VERSIONS, code: 'config-pragma' };
/** `vm.info` answers with `config`; scripts are seen to wrap it into `vm_config`. */
const WRAPPERS = ['config', 'vm_config'] as const;
const OWN_KEYS = ['cpus', 'memory', 'payload', 'kernel'] as const;

/** Never throws: what was not understood is in `problems`. */
export function parseCloudHypervisor(source: SourceText, context: ParseContext): CloudHypervisorDocument {
  const chosen = chooseVersion(source, context, VERSIONS);
  const json = parseJson(source.text);
  const wrapper = wrapperOf(json.root);
  const vm = wrapper?.value ?? json.root;
  const parts = {
    vmm: NAME,
    chosen,
    machines: vm?.kind === 'object' ? [machineOf(source, vm, chosen.version)] : [],
    problems: jsonFindings(source, json),
    outline: () => jsonOutline(source, json.root),
    links: () => linksOf(source, vm),
  };
  return configDocument(source, 'cloud-hypervisor', parts, {
    json,
    vm,
    config: vm && configOfJson(vm),
    wrapper,
  });
}

function wrapperOf(root: JsonNode | null): JsonMember | null {
  if (OWN_KEYS.some((key) => jsonAt(root, key) !== null)) return null;
  const members = WRAPPERS.map((key) => jsonMember(root, key));
  return members.find((member) => member?.value?.kind === 'object') ?? null;
}

function linksOf(source: SourceText, vm: JsonNode | null): PathLink[] {
  return imagesOf(vm)
    .filter(({ node }) => node.end - node.start > 2)
    .map(({ node }) => ({ range: source.lines.rangeAt(node.start + 1, node.end - 1), path: node.value }));
}
