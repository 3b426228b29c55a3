// What people say of an incident: asked back before it is said, and taken back as easily.

import { send } from '../api.js';
import { fill, h } from '../dom.js';
import { time } from '../format.js';
import { trouble } from './trouble.js';

const NAME = 'eddyline-by';

const WORDS = {
  normal: { button: 'This is normal', title: 'Is this normal?', means: 'Incidents like it won’t open any more, and this one is over. What is alike: the same kind of cause, of the same item, in the same direction, about as large.', said: 'said to be normal' },
  anomaly: { button: 'Real anomaly', title: 'Is this a real anomaly?', means: 'If something like it was called normal before, that no longer holds.', said: 'said to be a real anomaly' },
  snooze: { button: 'Snooze …', title: 'Not for a while?', means: 'Incidents like it don’t open until then. Then it is as before.', said: 'snoozed' },
};
const LONG = [['30m', '30 minutes'], ['2h', '2 hours'], ['8h', '8 hours'], ['24h', 'a day'], ['168h', 'a week']];

/** Buttons for the incident; `changed` is called when something was said. */
export function feedback(incident, changed) {
  const place = h('div.stack', { 'aria-live': 'polite' });
  const said = incident.feedback;
  const say = async (body) => {
    try {
      await send(['incidents', incident.incident, 'feedback'], body);
      await changed();
    } catch (error) {
      place.querySelector('.fault')?.remove();
      place.append(trouble(error));
    }
  };
  const undo = () => say({ word: 'undo', by: by() });
  fill(place,
    said && h('p', {}, h('span.badge.accent', {}, WORDS[said.word]?.said ?? said.word), ` by ${said.by} at ${time(said.at_ms)}`, said.until_ms && `, until ${time(said.until_ms)}`, '. ', h('button', { type: 'button', 'data-keep': 'undo', onclick: undo }, 'Undo')),
    h('div.row', {}, Object.entries(WORDS).map(([word, { button }]) => h('button', { type: 'button', disabled: said?.word === word, 'data-keep': word, onclick: () => confirm(word, say) }, button))));
  return place;
}

function by() {
  try { return localStorage.getItem(NAME) || 'dashboard'; } catch { return 'dashboard'; }
}

function confirm(word, say) {
  const { title, means, button } = WORDS[word];
  const name = h('input', { type: 'text', maxlength: 64, value: by(), autocomplete: 'name', required: true });
  const long = h('select', {}, LONG.map(([value, text]) => h('option', { value, selected: value === '2h' }, text)));
  const dialog = h('dialog', { 'aria-labelledby': 'feedback-title', onclose: () => dialog.remove() },
    h('form', { method: 'dialog', onsubmit: submitted },
      h('h2', { id: 'feedback-title' }, title),
      h('p.muted', {}, means),
      word === 'snooze' && h('label', {}, 'For', long),
      h('label', {}, 'Who says so', name),
      h('div.row', {},
        h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'),
        h('button.main', { type: 'submit' }, word === 'snooze' ? 'Snooze' : button))));

  function submitted(event) {
    event.preventDefault();
    const who = name.value.trim() || 'dashboard';
    try { localStorage.setItem(NAME, who); } catch { /* it is asked again next time */ }
    dialog.close();
    say({ word, by: who, ...(word === 'snooze' && { for: long.value }) });
  }

  document.body.append(dialog);
  dialog.showModal();
}
