/** eddyline over HTTP alone: nothing of Node, for browsers too. */
export { EddylineHttp } from './eddyline-http.js'
export { Batcher } from '../batcher/batcher.js'
export { parseAlert } from '../alerts/alert.js'
export { EddylineError, InvalidArgument, ModuleMissing, NotAllowed, NotFound, Refused, Unavailable } from '../errors.js'

/** @typedef {import('../alerts/alert.js').Alert} Alert */
/** @typedef {import('../alerts/alert.js').Cause} Cause */
/** @typedef {import('../batcher/batcher.js').BatcherOptions} BatcherOptions */
/** @typedef {import('../batcher/batcher.js').BatcherStats} BatcherStats */
/** @typedef {import('../business-metric.js').BusinessMetricOptions} BusinessMetricOptions */
/** @typedef {import('../commands/create.js').Definition} Definition */
/** @typedef {import('../feedback/words.js').FeedbackWord} FeedbackWord */
/** @typedef {import('../values.js').Fields} Fields */
/** @typedef {import('../values.js').Value} Value */
/** @typedef {import('./alerts.js').HttpAlertOptions} HttpAlertOptions */
/** @typedef {import('./connection.js').HttpOptions} HttpOptions */
/** @typedef {import('./eddyline-http.js').Accepted} Accepted */
