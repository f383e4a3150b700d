/** A box that outlives its process and is removed when it stops. */
import { boxliteCheck } from './boxliteCheck';

export const detach = boxliteCheck(
  { code: 'boxlite-detach', severity: 'error', title: 'A detached box that is removed when it stops' },
  function* (places) {
    const detached = places.option('detach');
    if (detached?.value.kind !== 'boolean' || !detached.value.value) return;
    const deleted = places.option('auto_delete');
    const removed = places.option('auto_remove');
    if (deleted) {
      if (deleted.value.kind !== 'integer' || deleted.value.value <= 0n) return;
      yield {
        at: places.at(detached.key),
        message: `BoxLite refuses a box that outlives its process and is removed when it stops: with \`detach\` \`auto_delete\` must be 0, and it is ${deleted.value.value}.`,
        related: [places.related(deleted.key, 'It is removed by this')],
        fixes: [places.replace('Change auto_delete to 0', deleted.value, '0')],
      };
      return;
    }
    if (removed && (removed.value.kind !== 'boolean' || !removed.value.value)) return;
    yield {
      at: places.at(detached.key),
      message: `BoxLite refuses a box that outlives its process and is removed when it stops: with \`detach\` \`auto_remove\` must be false, and it is true${removed ? '' : ' without a word'}.`,
      ...(removed ? { related: [places.related(removed.key, 'It is removed by this')] } : {}),
      fixes: [
        removed
          ? places.replace('Change auto_remove to false', removed.value, 'false')
          : places.replace(
              'Add "auto_remove": false',
              { start: detached.key.start, end: detached.key.start },
              '"auto_remove": false, ',
            ),
      ],
    };
  },
);
