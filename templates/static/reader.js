// The form without this script does all that matters. With it: the code is heard and
// changed without a new page, renewed before it expires, and characters are counted while
// one writes. Nothing here moves a word that was typed.
(() => {
  'use strict';
  const form = document.querySelector('[data-dy-form]');
  for (const told of document.querySelectorAll('[data-dy-focus]')) told.focus(); // autofocus is not heard in a frame
  if (!form) return;
  const status = form.querySelector('[data-dy-status]');
  const image = form.querySelector('[data-dy-image]');
  const sound = form.querySelector('[data-dy-sound]');
  const code = form.querySelector('[data-dy-code]');

  // Hearing the code. It never plays by itself.
  let player = null;
  const listen = sound && sound.lastElementChild;
  const words = listen && listen.textContent;
  const say = () => { listen.textContent = player && !player.paused ? sound.dataset.dySound : words; };
  const toggle = () => {
    if (!player) {
      player = new Audio(sound.href);
      for (const event of ['play', 'pause', 'ended']) player.addEventListener(event, say);
    }
    if (!player.paused) player.pause();
    else player.play().catch(() => { location.assign(sound.href); });
  };
  const silence = () => {
    if (player) player.pause();
    player = null;
    if (listen) say();
  };
  if (sound) {
    sound.setAttribute('role', 'button');
    sound.addEventListener('click', (e) => { e.preventDefault(); toggle(); });
    sound.addEventListener('keydown', (e) => {
      if (e.key === ' ') { e.preventDefault(); toggle(); }
    });
    const hint = form.querySelector('[data-dy-keys]');
    hint.textContent = ' ' + hint.dataset.dyKeys;
    code.setAttribute('aria-keyshortcuts', 'Alt+P');
    code.addEventListener('keydown', (e) => {
      if (e.code === 'KeyP' && e.altKey && !e.ctrlKey && !e.metaKey && !e.isComposing) {
        e.preventDefault();
        toggle();
      }
    });
  }

  // Another code: on asking, and before the one shown expires.
  let expires = Date.parse(form.dataset.dyExpires || '');
  let timer = 0;
  const renew = async (why) => {
    const answer = await fetch(form.dataset.dyRenew, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ page: form.elements.page.value }),
      credentials: 'omit',
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = await answer.json();
    silence();
    form.elements.ticket.value = fresh.ticket;
    image.src = new URL(fresh.image, location.href).pathname;
    if (sound) {
      sound.href = image.src.replace(/\.png$/, '.wav') + '?lang=' + document.documentElement.lang;
    }
    code.value = '';
    status.textContent = why;
    expires = Date.parse(fresh.expires_at);
    wait();
  };
  const wait = () => {
    clearTimeout(timer);
    if (!image || !(expires > 0)) return;
    const left = Math.max(expires - Date.now() - 60000, 5000);
    timer = setTimeout(() => {
      if (document.visibilityState === 'visible') renew(form.dataset.dyExpired).catch(() => {});
      else wait();
    }, Math.min(left, 2147483647));
  };
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible' && expires - Date.now() < 60000) renew(form.dataset.dyExpired).catch(() => {});
  });
  wait();
  const another = form.elements.another;
  if (image && another) {
    let plain = false;
    another.addEventListener('click', (e) => {
      if (plain) return;
      e.preventDefault();
      renew(form.dataset.dyRenewed).then(() => code.focus(), () => {
        plain = true; // the server says it with a page
        another.click();
      });
    });
  }

  // Counting as the server does: what a reader sees as one character.
  const count = form.querySelector('[data-dy-count]');
  const left = form.querySelector('[data-dy-left]');
  if (count && window.Intl && Intl.Segmenter) {
    const lang = document.documentElement.lang;
    const number = new Intl.NumberFormat(lang);
    const segments = new Intl.Segmenter(lang, { granularity: 'grapheme' });
    const most = Number(count.dataset.dyMax);
    const plain = count.textContent;
    const content = form.elements.content;
    let due = 0;
    let speak = 0;
    const tell = () => {
      due = 0;
      let n = 0;
      for (const _ of segments.segment(content.value.trim().normalize('NFC'))) n++;
      count.textContent = n === 0 ? plain : count.dataset.dyCount.replace('{n}', number.format(n)).replace('{max}', number.format(most));
      clearTimeout(speak);
      speak = setTimeout(() => {
        const rest = most - n;
        left.textContent = rest > 100 ? '' : (rest < 0 ? left.dataset.dyOver : left.dataset.dyLeft).replace('{n}', number.format(Math.abs(rest)));
      }, 800);
    };
    content.addEventListener('input', () => { due = due || requestAnimationFrame(tell); });
    if (content.value) tell();
  }
})();
