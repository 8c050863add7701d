import type { Random } from '../simulate/random.ts'
import type { Needs } from './conditions.ts'
import type { Place } from './sign.ts'

export interface Unlocking {
  readonly script: Uint8Array
  readonly witness: readonly Uint8Array[]
}
export interface LockPath {
  readonly needs: Needs
  unlock(place: Place, random: Random): Unlocking
}
/** An output script and the ways to spend it; none where nobody can. */
export interface Lock {
  readonly kind: string
  readonly script: Uint8Array
  readonly paths: readonly LockPath[]
}
