/** Whether a key goes into a field or a dialog, where a page's shortcuts must not take it. */
export function isTyping(event: Event): boolean {
  const target = event.target;
  if (document.querySelector('[role="dialog"][data-modal-content], .mantine-Modal-content')) return true;
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement ||
    (target instanceof HTMLInputElement && !["checkbox", "radio", "button"].includes(target.type))
  );
}
