import { entity, InvalidInput } from '../../index.ts';
import { isPositiveId } from '../positive-id.ts';
import { brands } from '../tables.ts';

/** A company that runs campaigns. */
export const brand = entity(brands, {
  isId: isPositiveId,
  rules: {
    texts: { name: { maxLength: 200, optional: false } },
    constraints: {
      campaigns_brand_id_brands_id_fk: {
        delete: new InvalidInput(
          'id',
          'IN_USE',
          'Expected a brand without campaigns: delete or move its campaigns first.',
        ),
      },
    },
  },
});
