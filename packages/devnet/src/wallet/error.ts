/** Why a wallet cannot do what it was asked, in Core's words; the call decides the number. */
export class WalletError extends Error {
  override readonly name = 'WalletError'
}
