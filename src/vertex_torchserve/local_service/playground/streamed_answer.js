// The answer of a model that writes, followed while it comes: lines of JSON, each with the next part of the text and the
// last one with the whole answer; or the events of OpenAI's API, which has no whole answer behind its parts.
const streams = { "application/x-ndjson": "", "text/event-stream": "data: " };
const streamOf = response => streams[(response.headers.get("content-type") || "").split(";")[0]];

// Calls `heard` with all that came so far, and with the text of it. Gives the prediction, as a whole answer would have it.
async function followed(response, heard) {
  const mark = streamOf(response), decoder = new TextDecoder(), reader = response.body.getReader();
  let said = "", rest = "", text = "", prediction = null;
  for (let ended = false; !ended;) {
    const { done, value } = await reader.read();
    ended = done;
    const more = decoder.decode(value, { stream: !done });
    said += more;
    const lines = (rest + more).split("\n");
    rest = done ? "" : lines.pop();
    for (const line of lines.filter(each => each.trim() && each.startsWith(mark))) {
      const told = line.slice(mark.length);
      const part = told === "[DONE]" ? { predictions: { choices: [{ message: { role: "assistant", content: text } }] } } : JSON.parse(told);
      if (part.error) throw new Error(part.error.message || part.error);
      if (part.predictions) prediction = predictionOf(part);
      else text += mark ? part.choices[0]?.delta.content || "" : part.text;
    }
    heard(said, text);
  }
  if (prediction === null) throw new Error("the answer ended before it was complete");
  return prediction;
}
