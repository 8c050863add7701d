import type { PayoutOptions } from '@kaccy/bitcoin'
import {
  type BitcoindSource,
  createBitcoindBroadcaster,
  createBitcoindMempool,
} from '@kaccy/bitcoin/adapters/bitcoind'
import { EngineError, sat, satPerKvB } from '@kaccy/bitcoin/kernel'
import { createReceiptKey, type Signer } from '@kaccy/bitcoin/signing'
import type { Config } from '../config/settings.ts'
import { readReceiptKey } from './receipt-key.ts'
