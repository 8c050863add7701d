import type { TSchema } from 'typebox'
import type { AppParts } from '../parts.ts'
import type { Route } from '../route.ts'
import { chainRoutes, ChainSchema } from './chain.ts'

/** The routes of one resource, and the schemas that they refer to by name. */
export interface Resource {
  readonly routes: readonly Route[]
  readonly named: readonly TSchema[]
}

/** Every route of the API; the order is that of the document. */
export const allRoutes = (parts: AppParts): readonly Resource[] => [
  { routes: chainRoutes(parts), named: [ChainSchema] },
]
