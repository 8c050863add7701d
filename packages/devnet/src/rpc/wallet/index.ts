import type { Method } from '../method.ts'
import { addressMethods } from './addresses.ts'
import { balanceMethods } from './balances.ts'
import { walletDescriptorMethods } from './descriptors.ts'
import { fundMethods } from './fund.ts'
import { historyMethods } from './history.ts'
import { manageMethods } from './manage.ts'
import { sendMethods } from './send.ts'
import { signingMethods } from './signing.ts'
import { unspentMethods } from './unspent.ts'

/** Core's calls of the descriptor wallet. */
export const walletMethods: readonly Method[] = [
  ...manageMethods,
  ...addressMethods,
  ...balanceMethods,
  ...historyMethods,
  ...unspentMethods,
  ...walletDescriptorMethods,
  ...sendMethods,
  ...fundMethods,
  ...signingMethods,
]
