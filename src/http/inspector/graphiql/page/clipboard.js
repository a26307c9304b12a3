/**
 * Puts text on the clipboard.
 *
 * @param text what to copy
 * @returns whether it could be copied
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Browsers have that interface only for pages over TLS and from this machine.
    return copySelection(text);
  }
}

function copySelection(text) {
  const focused = document.activeElement;
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'inspector-unseen';
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  focused?.focus();
  return copied;
}
