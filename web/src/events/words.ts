/** `BatchApprovalGiven` as `Batch approval given`. */
export function eventWords(kind: string): string {
  const parts = kind.replace(/([a-z0-9])([A-Z])/g, "$1 $2").split(" ");
  return parts.map((part, at) => (at === 0 ? part : part.toLowerCase())).join(" ");
}
