import { allows, type Grant, type Scope } from '@kaccy/bitcoin/access'
import type { WalletId } from '@kaccy/bitcoin/kernel'

export type { Scope }

/** Who makes a request. */
export interface Principal extends Pick<Grant, 'scopes' | 'wallets'> {
  /** As in the audit trail: `api:<key id>`, `operator:<name>`. */
  readonly actor: string
  /** Separates the idempotency keys of one caller from those of another. */
  readonly id: string
}

export const mayUse: (principal: Principal, scope: Scope) => boolean = allows

/** False for what belongs to a wallet that the caller may not see: to them it does not exist. */
export const maySee = ({ wallets }: Principal, wallet: WalletId): boolean =>
  wallets === undefined || wallets.includes(wallet)

/**
 * False for a key or a webhook that reaches wallets which the caller may not see.
 * @param grant what it reaches
 */
export const maySeeGrant = (
  { wallets }: Principal,
  grant: { readonly wallets?: readonly WalletId[] | undefined },
): boolean =>
  wallets === undefined || grant.wallets?.every((wallet) => wallets.includes(wallet)) === true
