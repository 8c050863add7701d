import fc from 'fast-check'
import { type Plan, TIP } from './wallets.ts'

export const SCALE = Number(process.env['KACCY_SCALE'] ?? '0.1')

/** Random honest withdrawals. */
export const plans = (hasPrevious = true): fc.Arbitrary<Plan> =>
  fc
    .record({
      coins: fc.array(
        fc.record({
          branch: fc.constantFrom(0, 1),
          index: fc.nat({ max: 2_000_000_000 }),
          vout: fc.nat({ max: 4 }),
        }),
        { minLength: 1, maxLength: 3 },
      ),
      payments: fc.array(
        fc.record({ seed: fc.nat({ max: 65_535 }), amount: fc.integer({ min: 1000, max: 1e12 }) }),
        { minLength: 1, maxLength: 4 },
      ),
      changeIndex: fc.option(fc.nat({ max: 100_000 }), { nil: undefined }),
      rate: fc.double({ min: 1.2, max: 300, noNaN: true }),
      version: fc.constantFrom<0 | 2>(0, 2),
      lockTime: fc.constantFrom(0, TIP - 1, TIP),
      xpubs: fc.boolean(),
    })
    .map(({ changeIndex, ...plan }) => ({
      ...plan,
      hasPrevious,
      ...(changeIndex === undefined ? {} : { changeIndex }),
    }))
