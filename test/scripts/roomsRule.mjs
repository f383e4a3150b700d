// An ESLint rule: imports point only to rooms earlier in the list of docs/architecture.md. A room is a folder; files
// outside every room are the faces, which may import all rooms and which no room may import.
import { dirname, relative, resolve, sep } from 'node:path';

/** @param {string} root @param {readonly string[]} rooms earliest first */
export function roomsRule(root, rooms) {
  const roomOf = (file) => {
    const path = relative(root, file).split(sep).join('/');
    return rooms.findIndex((room) => path === room || path.startsWith(room + '/'));
  };
  return {
    meta: {
      type: 'problem',
      schema: [],
      messages: { later: '{{own}} may import earlier rooms only, not {{other}} (docs/architecture.md).' },
    },
    create(context) {
      const own = roomOf(context.filename);
      if (own < 0) return {};
      const check = (node) => {
        const source = node.source?.value;
        if (typeof source !== 'string' || !source.startsWith('.')) return;
        const target = resolve(dirname(context.filename), source);
        const other = roomOf(target);
        // Built artefacts (the core's wasm) are no source of any room.
        if (other < 0 && relative(root, target).startsWith('dist' + sep)) return;
        if (other >= 0 && other <= own) return;
        const name = other < 0 ? relative(root, target) : rooms[other];
        context.report({ node: node.source, messageId: 'later', data: { own: rooms[own], other: name } });
      };
      return {
        ImportDeclaration: check,
        ExportNamedDeclaration: check,
        ExportAllDeclaration: check,
        ImportExpression: check,
      };
    },
  };
}
