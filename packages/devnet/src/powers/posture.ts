/** How the node presents itself where the chain does not decide it. */
export interface Posture {
  initialBlockDownload: boolean
  mempoolLoaded: boolean
  /**
   * Satoshi per 1000 vbytes that `estimatesmartfee` answers, or `unknown`: not enough data. Undefined (the default): what the
   * node learned from its own mempool and blocks.
   */
  feeRate: bigint | 'unknown' | undefined
}
