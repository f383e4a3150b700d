/** The JSON schema of a shape (draft 2020-12): what editors for TOML, JSON and YAML complete and check with. */
import {
  ANY_VERSION,
  type InVersion,
  type Member,
  type ObjectShape,
  type Shape,
  type VariantShape,
} from './shape';

export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

export interface SchemaTitle {
  readonly id: string;
  readonly title: string;
  readonly description: string;
}

/** Words of which each is described; beyond it their names must do. */
const MOST_DESCRIBED = 60;

/** The members that `inVersion` has. Integers beyond 2^53 have no bounds in it: JSON schema counts in doubles. */
export function jsonSchema(
  shape: Shape,
  { id, title, description }: SchemaTitle,
  inVersion: InVersion = ANY_VERSION,
): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: id,
    title,
    description,
    ...schemaOf(shape, inVersion),
  };
}

function schemaOf(shape: Shape, inVersion: InVersion): JsonSchema {
  switch (shape.kind) {
    case 'object':
      return objectSchema(shape, inVersion);
    case 'variant':
      return variantSchema(shape, inVersion);
    case 'names':
      return { type: 'object', additionalProperties: schemaOf(shape.of, inVersion) };
    case 'array':
      return {
        type: 'array',
        items: schemaOf(shape.of, inVersion),
        ...(shape.least === undefined ? {} : { minItems: shape.least }),
        ...(shape.most === undefined ? {} : { maxItems: shape.most }),
      };
    case 'integer':
      return {
        type: 'integer',
        ...bound('minimum', shape.least),
        ...bound('maximum', shape.most),
      };
    case 'string': {
      const words = shape.values?.filter(inVersion);
      if (words) {
        return {
          type: 'string',
          enum: words.map(({ value }) => value),
          ...(words.length > MOST_DESCRIBED
            ? {}
            : { markdownEnumDescriptions: words.map(({ text }) => text) }),
        };
      }
      // A schema’s pattern has no flags.
      const pattern = shape.pattern?.flags === '' ? { pattern: shape.pattern.source } : {};
      return { type: 'string', ...pattern };
    }
    case 'either':
      return { anyOf: shape.of.map((alternative) => schemaOf(alternative, inVersion)) };
    case 'number':
    case 'boolean':
      return { type: shape.kind };
    case 'any':
      return {};
  }
}

function bound(keyword: 'minimum' | 'maximum', value: bigint | undefined): JsonSchema {
  if (value === undefined) return {};
  const number = Number(value);
  return Number.isSafeInteger(number) ? { [keyword]: number } : {};
}

function objectSchema({ members, others }: ObjectShape, inVersion: InVersion): JsonSchema {
  const rows = Object.entries(members).filter(([, member]) => inVersion(member));
  const required = rows.filter(([, member]) => member.required === true).map(([key]) => key);
  return {
    type: 'object',
    properties: Object.fromEntries(
      rows.flatMap(([key, member]) =>
        [key, ...(member.aliases ?? [])].map((name) => [name, memberSchema(member, inVersion)]),
      ),
    ),
    // A required key may stand there under another name, which a list of keys cannot say.
    ...(required.length === 0 || required.some((key) => members[key]!.aliases?.length) ? {} : { required }),
    ...(others === 'refused' ? { additionalProperties: false } : {}),
  };
}

function memberSchema(member: Member, inVersion: InVersion): JsonSchema {
  const schema = schemaOf(member.shape, inVersion);
  const text = member.default === undefined ? member.text : `${member.text} Default: ${member.default}.`;
  return {
    description: plain(text),
    markdownDescription: text,
    ...(member.nullable === true ? { anyOf: [schema, { type: 'null' }] } : schema),
  };
}

/** For editors that show no Markdown. */
function plain(markdown: string): string {
  return markdown
    .replace(/\[([^\]]*)\]\((?:[^)]*)\)/g, '$1')
    .replace(/\*\*([^*]*)\*\*/g, '$1')
    .replace(/`+([^`]*)`+/g, '$1');
}

/** One whole object for each value of the key that decides: every reader of schemas completes from these. */
function variantSchema({ by, common, variants }: VariantShape, inVersion: InVersion): JsonSchema {
  return {
    oneOf: Object.entries(variants).map(([value, members]) => {
      const schema = objectSchema({ ...common, members: { ...common.members, ...members } }, inVersion);
      const properties = schema['properties'] as Readonly<Record<string, JsonSchema>>;
      const { description, markdownDescription } = properties[by]!;
      return {
        title: value,
        ...schema,
        properties: { ...properties, [by]: { description, markdownDescription, const: value } },
      };
    }),
  };
}
