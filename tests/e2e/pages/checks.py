"""What must hold of every page and axe does not look for: one line for each fault."""

from __future__ import annotations

from playwright.async_api import Page

from tests.e2e.pages.browser import no_overflow

_FRAME = """() => {
  const found = [], html = document.documentElement;
  const shown = element => element.checkVisibility({visibilityProperty: true});
  const heads = [...document.querySelectorAll('h1')].filter(shown);
  if (heads.length !== 1 || !heads[0].textContent.trim()) found.push(`${heads.length} headings of the first level`);
  if (html.lang !== LANGUAGE) found.push(`lang=${html.lang}`);
  if (!/ · Callmatrix$/.test(document.title)) found.push(`title: ${document.title}`);
  if (document.querySelectorAll('main').length !== 1) found.push('not one main');
  if (document.querySelector('[tabindex]:not([tabindex="0"]):not([tabindex="-1"])')) found.push('tabindex above 0');
  for (const live of document.querySelectorAll('[aria-live], [role=status], [role=alert]')) {
    if (live.querySelector('table')) found.push(`a table is announced: ${live.outerHTML.slice(0, 80)}`);
  }
  for (const region of document.querySelectorAll('[data-topics]')) {
    if (!region.id && region.querySelector('a, button, input, select, summary')) found.push(`a live part without an id: ${region.outerHTML.slice(0, 80)}`);
  }
  for (const tabs of document.querySelectorAll('.cm-tabs')) {
    if (!shown(tabs) || tabs.scrollWidth <= tabs.clientWidth) continue;
    if (getComputedStyle(tabs, '::after').position !== 'sticky') found.push('nothing says that there are more tabs');
    const current = tabs.querySelector('[aria-current]'), box = current && current.getBoundingClientRect();
    if (box && (box.left < 0 || box.right > innerWidth)) found.push(`the tab that is open is not seen: ${current.textContent}`);
  }
  return found;
}"""

_NAMES = """() => {
  const found = [], at = new Map();
  const shown = element => element.checkVisibility({visibilityProperty: true});
  for (const one of document.querySelectorAll('main button, main a.cm-button, main a.cm-cell')) {
    if (!shown(one) || one.closest('dialog')) continue;
    const name = (one.getAttribute('aria-label') || one.textContent).replace(/\\s+/g, ' ').trim();
    const form = one.form || one.closest('form');
    const target = one.href || [one.formAction || (form && form.action), one.name, one.value,
      one.dataset.confirm, one.dataset.copy, one.dataset.variable, one.getAttribute('popovertarget'),
      form && [...form.elements].filter(field => field.type === 'hidden').map(field => field.value).join()].join();
    const before = at.get(name);
    if (before !== undefined && before !== target) found.push(`two things are called "${name}": ${before} and ${target}`);
    at.set(name, target);
  }
  return found;
}"""

_ERRORS = """() => {
  const found = [];
  for (const field of document.querySelectorAll('[aria-invalid=true]')) {
    const said = (field.getAttribute('aria-describedby') || '').split(' ').map(id => document.getElementById(id));
    if (!said.some(one => one && one.textContent.trim())) found.push(`no error at ${field.id}`);
  }
  for (const link of document.querySelectorAll('.cm-error-summary a, .cm-skip')) {
    if (!document.querySelector(link.getAttribute('href'))) found.push(`${link.outerHTML} leads nowhere`);
  }
  return found;
}"""

_NOT_BY_COLOUR = """() => {
  const found = [];
  for (const badge of document.querySelectorAll('.cm-badge, .cm-chip, .cm-count')) {
    if (!badge.textContent.trim() && !badge.querySelector('[aria-label]')) found.push(`no words: ${badge.outerHTML.slice(0, 80)}`);
  }
  for (const note of document.querySelectorAll('.cm-note')) {
    if (!note.querySelector('svg') && !note.matches('[role]')) found.push(`no icon: ${note.outerHTML.slice(0, 80)}`);
  }
  for (const text of document.querySelectorAll('main .cm-bad, main .cm-warn, main .cm-good')) {
    if (!text.textContent.trim() && !text.querySelector('[aria-label]') && !text.parentElement.textContent.trim())
      found.push(`colour alone: ${text.outerHTML.slice(0, 80)}`);
  }
  return found;
}"""

_HELP = """() => {
  const place = link => {
    const nav = link.closest('nav'), links = [...nav.querySelectorAll('a')];
    const way = link.closest('details') && link.closest('details').querySelector('summary');
    const box = (way || link).getBoundingClientRect();
    return [nav.className, links.length - links.indexOf(link), Math.round(box.left), Math.round(innerHeight - box.bottom)].join(' ');
  };
  const ways = [...document.querySelectorAll('nav a[href^="/help"]')].filter(link => link.closest('nav').checkVisibility());
  return ways.length === 1 ? place(ways[0]) : '';
}"""

SPACING = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }
    p { margin-bottom: 2em !important; }`);
  document.adoptedStyleSheets = [sheet];
}"""

_CUT_OFF = """() => [...document.querySelectorAll('main *')]
  .filter(one => one.checkVisibility() && one.childElementCount === 0 && one.textContent.trim())
  .filter(one => !one.closest('.cm-unseen, .cm-scroll, .cm-ladder, svg, select, textarea'))
  .filter(one => {
    const style = getComputedStyle(one);
    return style.overflowY !== 'visible' && style.textOverflow !== 'ellipsis' && one.scrollHeight > one.clientHeight + 2;
  })
  .map(one => `cut off: ${one.outerHTML.slice(0, 100)}`)"""

_WITHOUT_COLOURS = """() => [...document.querySelectorAll('main .cm-button, main input:not([type=hidden]), main select, main textarea')]
  .filter(one => one.checkVisibility({visibilityProperty: true}) && !one.matches('[type=checkbox], [type=radio], [type=file]'))
  .filter(one => {
    const style = getComputedStyle(one);
    return parseFloat(style.borderTopWidth) === 0 || style.borderTopStyle === 'none';
  })
  .map(one => `no border: ${one.outerHTML.slice(0, 100)}`)"""

_FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body || one === document.documentElement) return null;
  const style = getComputedStyle(one), box = one.getBoundingClientRect(), found = [];
  const seen = element => {
    const style = getComputedStyle(element);
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== 'none';
  };
  const label = one.closest('label');
  if (one.tabIndex >= 0 && !seen(one) && !(label && seen(label))) found.push('the focus is not seen');
  if (box.width && (box.bottom <= 0 || box.top >= innerHeight)) found.push('out of the window');
  const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
  const y = Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1);
  const top = document.elementFromPoint(x, y);
  if (box.width && top && !one.contains(top) && !top.contains(one) && !(label && label.contains(top)))
    found.push(`hidden behind ${top.outerHTML.slice(0, 60)}`);
  window.focused = (window.focused || []);
  const back = window.focused.indexOf(one) !== -1 || (window.focused.length > 0 && one.matches('.cm-skip'));
  const last = window.focused.at(-1);
  if (last && last.isConnected && !back && !(last.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING)) found.push('before the one before');
  window.focused.push(one);
  return {back, faults: found.map(fault => `${fault}: ${one.outerHTML.slice(0, 90)}`)};
}"""


async def frame_faults(page: Page, language: str) -> list[str]:
    found: list[str] = await page.evaluate(_FRAME.replace("LANGUAGE", repr(language)))
    return found


async def help_place(page: Page) -> str:
    """Where the one way to help is that is seen: in which navigation, after what, at which place of the window (WCAG 3.2.6); "" = none."""
    found: str = await page.evaluate(_HELP)
    return found


async def word_faults(page: Page) -> list[str]:
    """Of names, errors, and states that only a colour would tell."""
    found: list[str] = []
    for script in (_NAMES, _ERRORS, _NOT_BY_COLOUR):
        found += await page.evaluate(script)
    return found


async def cut_off_when_spaced(page: Page) -> list[str]:
    """Text that is not to be read where a person sets wider lines, words and letters (WCAG 1.4.12)."""
    await page.evaluate(SPACING)
    found: list[str] = await page.evaluate(_CUT_OFF)
    found += await no_overflow(page)
    await page.evaluate("document.adoptedStyleSheets = []")
    return found


async def lost_without_colours(page: Page) -> list[str]:
    """What is pressed or typed into and has no edge where the system chooses the colours."""
    await page.emulate_media(forced_colors="active")
    found: list[str] = await page.evaluate(_WITHOUT_COLOURS)
    await page.emulate_media(forced_colors="none")
    return found


async def focus_faults(page: Page, most: int = 80) -> list[str]:
    """Go through the page by Tab: in the order of the page, each place seen, none behind something else."""
    found: list[str] = []
    for _ in range(most):
        await page.keyboard.press("Tab")
        at = await page.evaluate(_FOCUSED)
        if at is None or at["back"]:
            break
        found += at["faults"]
    return found
