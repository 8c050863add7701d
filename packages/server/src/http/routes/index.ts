import type { AppParts } from '../parts.ts'
import type { Resource } from '../route.ts'
import { chainRoutes, ChainSchema } from './chain.ts'

export type { Resource }

/** Every route of the API; the order is that of the document. */
export const allRoutes = (parts: AppParts): readonly Resource[] => [
  { routes: chainRoutes(parts), named: [ChainSchema] },
]
