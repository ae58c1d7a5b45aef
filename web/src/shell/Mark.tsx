/** Loopwright's mark: the loop, and what it is after. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" role="img" aria-label="Loopwright">
      <rect width="32" height="32" rx="7" fill="#0f4f4a" />
      <path
        d="M23.5 11.2A9 9 0 1 0 25 16"
        fill="none"
        stroke="#e9f5f2"
        strokeWidth="2.6"
        strokeLinecap="round"
      />
      <path
        d="M24.6 6.4v5.4h-5.4"
        fill="none"
        stroke="#e9f5f2"
        strokeWidth="2.6"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <circle cx="16" cy="16" r="3.1" fill="#f0699f" />
    </svg>
  );
}
