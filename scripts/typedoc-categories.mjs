// Sorts the API reference by what one wants, for typedoc: the folder of a declaration says to which category it
// belongs. Knows folders; must not know what is in them.

import { Comment, CommentTag, Converter, ReflectionKind } from 'typedoc';

/** The first that fits; the order of the page is `categoryOrder` in typedoc.json. */
const CATEGORIES = [
  [/src\/(lab\/|testing\/words)/, 'The words of a script'],
  [/src\/(open|net\/stack|testing\/)/, 'Start here'],
  [/src\/net\//, 'Sockets and servers'],
  [/src\/tcp\/(config|info|state|transitions|errors)\.ts/, 'What TCP knows and can be told'],
  [/src\/storage\/descriptors\.ts/, 'Format of batches of packets'],
  [/src\/(device\/|stack\/device\.ts)/, 'Devices and clocks'],
  [/src\/trace\//, 'Traces and drawings'],
  [/src\/(stack|tcp|wire|storage)\//, 'The core, without I/O'],
];

const EXPORTS =
  ReflectionKind.Class |
  ReflectionKind.Interface |
  ReflectionKind.TypeAlias |
  ReflectionKind.Function |
  ReflectionKind.Variable;

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context) => {
    for (const reflection of context.project.getReflectionsByKind(EXPORTS)) {
      const [declaration] = context.getSymbolFromReflection(reflection)?.declarations ?? [];
      const path = declaration?.getSourceFile().fileName ?? '';
      const category = CATEGORIES.find(([pattern]) => pattern.test(path))?.[1];
      if (category === undefined) continue;
      const text = [{ kind: 'text', text: category }];
      // Of a function the comment belongs to its signatures.
      for (const each of [reflection, ...(reflection.signatures ?? [])]) {
        each.comment ??= new Comment();
        each.comment.blockTags.push(new CommentTag('@category', text));
      }
    }
  });
}
