/** What can be said of an incident. */

/** @typedef {'normal' | 'anomaly' | 'snooze' | 'undo'} FeedbackWord */

/** @type {FeedbackWord[]} */
export const WORDS = ['normal', 'anomaly', 'snooze', 'undo']
