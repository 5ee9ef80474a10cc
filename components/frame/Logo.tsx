/** The mark: a cloud in a tile. The word beside it names it. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" className={className}>
      <rect width="32" height="32" rx="7" className="fill-accent" />
      <path
        d="M10.5 22.5a4.5 4.5 0 0 1-.6-8.96 6.5 6.5 0 0 1 12.47-1.2A5.1 5.1 0 0 1 21.5 22.5z"
        fill="none"
        stroke="#fff"
        strokeWidth="2.2"
        strokeLinejoin="round"
      />
    </svg>
  );
}
