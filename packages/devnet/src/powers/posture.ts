/** How the node presents itself where the chain does not decide it. */
export interface Posture {
  initialBlockDownload: boolean
  mempoolLoaded: boolean
  /** Satoshi per 1000 vbytes that `estimatesmartfee` answers; undefined: not enough data. */
  feeRate: bigint | undefined
}
