"""States without colours: two of one kind that only their colours tell apart look the same to who sees none (WCAG 1.4.1)."""

from __future__ import annotations

from playwright.async_api import Page

_GREY = """() => {
  const KINDS = ['.cm-badge', '.cm-chip', '.cm-count', '.cm-note:not(.cm-note-info)', '.cm-action', '.cm-dot', '.cm-letter', '.cm-step-icon',
    '.cm-wizard-mark', '.cm-stepper-mark', '.cm-progress', '.cm-row-text', '.cm-table td', '.cm-sched tbody td', '.cm-sched tfoot td',
    '.cm-half tbody td', '.cm-matrix td', '.cm-cell', '.cm-good, .cm-warn, .cm-bad, .cm-brand'];
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const painted = color => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const ground = element => {
    for (let one = element; one; one = one.parentElement) {
      const color = getComputedStyle(one).backgroundColor;
      if (painted(color)[3] === 255) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  const grey = color => {
    const [r, g, b] = painted(color).slice(0, 3).map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const apart = (one, other) => (Math.max(grey(one), grey(other)) + 0.05) / (Math.min(grey(one), grey(other)) + 0.05);
  const clean = text => text.replace(/\\s+/g, ' ').trim();
  const marks = element => {
    const style = getComputedStyle(element), before = getComputedStyle(element, '::before');
    const said = [element.getAttribute('aria-label'), ...[...element.querySelectorAll('[aria-label], [aria-valuetext]')]
      .map(one => one.getAttribute('aria-label'))];
    const icons = [...element.querySelectorAll('use')].map(use => use.getAttribute('href'));
    const own = element.getAttribute('aria-hidden') ? '' : clean(element.textContent);
    const text = own || clean(element.parentElement.textContent);
    const shape = [style.backgroundImage, before.backgroundImage, before.content, style.textDecorationLine, style.borderTopStyle,
      parseFloat(style.borderTopWidth), style.boxShadow === 'none', style.fontWeight, element.tagName];
    return JSON.stringify([text, icons, said, shape]);
  };
  const found = [];
  for (const kind of KINDS) {
    const seen = new Map();
    for (const element of document.querySelectorAll(kind)) {
      if (!element.checkVisibility({visibilityProperty: true}) || element.closest('a:hover, :focus')) continue;
      const look = {color: getComputedStyle(element).color, ground: ground(element), element};
      const mark = marks(element), before = seen.get(mark);
      if (!before) { seen.set(mark, look); continue; }
      const differ = before.color !== look.color || before.ground !== look.ground;
      if (differ && apart(before.color, look.color) < 3 && apart(before.ground, look.ground) < 3)
        found.push(`only a colour tells apart: ${before.element.outerHTML.slice(0, 90)} and ${element.outerHTML.slice(0, 90)}`);
    }
  }
  return found;
}"""


async def told_by_colour(page: Page) -> list[str]:
    """Return pairs of one kind that say the same in words, icons and shape, and differ in colours that are one grey."""
    found: list[str] = await page.evaluate(_GREY)
    return found[:10]
