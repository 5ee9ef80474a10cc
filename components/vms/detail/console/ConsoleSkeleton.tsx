/** The place of a console while its code is on its way. */
export function ConsoleSkeleton() {
  return (
    <div aria-busy className="flex size-full flex-col bg-sunken">
      <span className="sr-only">Opening the console.</span>
      <div className="h-11 border-line border-b bg-surface" />
    </div>
  );
}
