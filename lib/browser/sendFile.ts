/** An answer to a file that was sent; status 0 when there was none. */
export interface SentAnswer {
  status: number;
  text: string;
}

/**
 * Sends a file as a request's body, told byte by byte: what `fetch` can't.
 * @param asked a path with its method: "PUT /api/images/upload"
 * @param onProgress bytes that have left the browser
 */
export function sendFile(
  asked: `${"PUT" | "POST"} ${string}`,
  file: File,
  onProgress: (sentBytes: number) => void,
  signal: AbortSignal,
): Promise<SentAnswer> {
  return new Promise((resolve, reject) => {
    const [method = "", path = ""] = asked.split(" ", 2);
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    signal.addEventListener("abort", abort, { once: true });
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => resolve({ status: request.status, text: request.responseText });
    request.onerror = () => resolve({ status: 0, text: "" });
    request.onabort = () => reject(signal.reason);
    request.onloadend = () => signal.removeEventListener("abort", abort);
    request.open(method, path);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.setRequestHeader("accept", "application/json");
    request.send(file);
  });
}
