/** The tree of a JSON text for a `Shape`. */
import type { JsonMember, JsonNode } from '../json';
import type { ConfigMember, ConfigNode } from './node';

/** A number with a fraction or an exponent is a `float`, also where its value is whole: serde takes it for no integer. */
export function configOfJson(node: JsonNode): ConfigNode {
  const { start, end } = node;
  switch (node.kind) {
    case 'object': {
      const made = new Map<JsonMember, ConfigMember>();
      const members = node.members.map((member) => {
        const { key, value, duplicateOf } = member;
        const read: ConfigMember = {
          key: { text: key.value, start: key.start, end: key.end },
          value: value && configOfJson(value),
          duplicateOf: duplicateOf ? (made.get(duplicateOf) ?? null) : null,
        };
        made.set(member, read);
        return read;
      });
      return { kind: 'object', start, end, members };
    }
    case 'array':
      return { kind: 'array', start, end, items: node.items.map(configOfJson) };
    case 'string':
      return { kind: 'string', start, end, value: node.value };
    case 'number':
      return node.integer === null
        ? { kind: 'float', start, end, value: node.value }
        : { kind: 'integer', start, end, value: node.integer };
    case 'boolean':
      return { kind: 'boolean', start, end, value: node.value === true };
    case 'null':
      return { kind: 'null', start, end };
  }
}
