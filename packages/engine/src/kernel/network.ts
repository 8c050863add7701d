/** Bitcoin networks by Core's names for `chain=`; `test` is testnet3. */
export type Network = 'main' | 'test' | 'testnet4' | 'signet' | 'regtest'
export const NETWORKS: readonly Network[] = ['main', 'test', 'testnet4', 'signet', 'regtest']
export const isNetwork = (value: unknown): value is Network =>
  typeof value === 'string' && (NETWORKS as readonly string[]).includes(value)
