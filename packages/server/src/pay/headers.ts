import type { Frames } from './frames.ts'
import { ancestorsOf } from './frames.ts'

type Headers = Readonly<Record<string, string>>

/** What every answer below `/pay` says. */
const ALWAYS: Headers = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-robots-tag': 'noindex, nofollow',
}

const FEATURES = [
  'accelerometer',
  'camera',
  'display-capture',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
  'payment',
  'usb',
]

/** Nothing comes from elsewhere, nothing goes elsewhere, nothing written into the page runs. */
export const pageHeaders = (frames: Frames): Headers => ({
  ...ALWAYS,
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${ancestorsOf(frames)}`,
  ].join('; '),
  'permissions-policy': [...FEATURES.map((name) => `${name}=()`), 'clipboard-write=(self)'].join(
    ', ',
  ),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
  vary: 'Accept-Language',
})

/** Of answers that are no documents: opened by themselves they can do nothing at all. */
export const dataHeaders: Headers = {
  ...ALWAYS,
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox",
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** Of files whose name changes with what is in them. */
export const assetHeaders: Headers = {
  ...dataHeaders,
  'cache-control': 'public, max-age=31536000, immutable',
}

/** Of the one script that other origins load, under a name that stays. */
export const embedHeaders: Headers = {
  ...dataHeaders,
  'cross-origin-resource-policy': 'cross-origin',
  'cache-control': 'public, max-age=300',
}
