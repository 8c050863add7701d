import type { Config } from '../config/settings.ts'
import { signerOf } from '../host/payouts.ts'
import { type Finding, failed, fine, warning } from './finding.ts'

/** The signing process: whether it answers, takes the token, and knows wallets. */
export async function examineSigner(config: Config): Promise<Finding[]> {
  try {
    const signer = signerOf(config)
    if (!signer) return [fine('signer', 'none: people bring signatures with kaccy psbt import')]
    const wallets = await signer.wallets()
    if (wallets.length === 0)
      return [
        warning(
          'signer',
          `${signer.name} answers, and knows no wallet`,
          'register the descriptor there: kaccy-signer wallets add',
        ),
      ]
    return wallets.map(({ name, keys, daySat, maxDaySat }) =>
      keys === 0
        ? warning('signer', `wallet ${name} has no key there`, 'kaccy-signer add-key')
        : fine('signer', `wallet ${name}: ${daySat} of ${maxDaySat} sat today`),
    )
  } catch (error) {
    return [failed('signer', error)]
  }
}
