export { formatJson, type JsonWritable } from './format.ts'
export { type JsonRefusal, MAX_JSON_DEPTH, parseJson } from './parse.ts'
export {
  isJsonArray,
  isJsonObject,
  type JsonArray,
  JsonNumber,
  type JsonObject,
  type JsonValue,
  jsonBigInt,
  jsonDouble,
  jsonInteger,
} from './value.ts'
