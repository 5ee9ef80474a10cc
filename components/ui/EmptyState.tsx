import type { ReactNode } from "react";

interface EmptyStateProps {
  icon?: ReactNode;
  title: string;
  /** What this is and why you want one. */
  children?: ReactNode;
  /** One button. */
  action?: ReactNode;
  /** The same by other means: a `CodeBlock`. */
  code?: ReactNode;
}

/** What stands where a list has nothing to show. */
export function EmptyState({ icon, title, children, action, code }: EmptyStateProps) {
  return (
    <div className="flex flex-col items-center px-4 py-12 text-center">
      {icon ? (
        <span className="mb-3 flex size-10 items-center justify-center rounded-lg border border-line bg-raised text-muted [&_svg]:size-5">
          {icon}
        </span>
      ) : null}
      <p className="font-medium">{title}</p>
      {children ? <div className="mt-1 max-w-md text-muted text-sm">{children}</div> : null}
      {action ? <div className="mt-4">{action}</div> : null}
      {code ? <div className="mt-6 w-full max-w-xl text-left">{code}</div> : null}
    </div>
  );
}
