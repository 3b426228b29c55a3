/** eddyline for Node: over the Redis client that the application has, or over HTTP. */
export { Eddyline } from './eddyline.js'
export { eddy } from './module.js'
export { Batcher } from './batcher/batcher.js'
export { Alerts } from './alerts/alerts.js'
export { parseAlert } from './alerts/alert.js'

export { EddylineHttp } from './http/eddyline-http.js'
export { EddylineError, InvalidArgument, ModuleMissing, NotAllowed, NotFound, Refused, Unavailable } from './errors.js'

/** @typedef {import('./alerts/alert.js').Alert} Alert */
/** @typedef {import('./alerts/alert.js').Cause} Cause */
/** @typedef {import('./alerts/alerts.js').AlertOptions} AlertOptions */
/** @typedef {import('./batcher/batcher.js').BatcherOptions} BatcherOptions */
/** @typedef {import('./batcher/batcher.js').BatcherStats} BatcherStats */
/** @typedef {import('./business-metric.js').BusinessMetricOptions} BusinessMetricOptions */
/** @typedef {import('./commands/count.js').ItemCount} ItemCount */
/** @typedef {import('./commands/create.js').Definition} Definition */
/** @typedef {import('./commands/fingerprint.js').Fingerprint} Fingerprint */
/** @typedef {import('./commands/info.js').Info} Info */
/** @typedef {import('./commands/top.js').Top} Top */
/** @typedef {import('./feedback/give.js').FeedbackOptions} FeedbackOptions */
/** @typedef {import('./feedback/words.js').FeedbackWord} FeedbackWord */
/** @typedef {import('./feedback/give.js').Given} Given */
/** @typedef {import('./values.js').Fields} Fields */
/** @typedef {import('./values.js').Value} Value */
