// Slips encoded by programs that nobody here wrote, as fixtures that judge the simulated printer (tests/hardware/foreign).
//
//   npm install --prefix DIR receiptline@4.0.4 @point-of-sale/receipt-printer-encoder@4.0.1
//   NODE_PATH=DIR/node_modules node tools/foreign_slips.mjs DIR
//
// Both are encoders only; what they were given stands here, so that the tests know what must be on the paper.

import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const require = createRequire(resolve(process.argv[2], "node_modules", "x.js"));
const receiptline = require("receiptline");
const ReceiptPrinterEncoder = require("@point-of-sale/receipt-printer-encoder");
const folder = new URL("../tests/hardware/foreign/", import.meta.url);

const markup = `^^^A036
政务服务大厅
{code:https://hall.example/t/2; option:qrcode,4,m}
Window 3 |
`;
for (const [name, encoding] of [["receiptline-gb18030.bin", "gb18030"], ["receiptline-ascii.bin", "cp437"]]) {
    const text = encoding === "cp437" ? markup.replace("政务服务大厅", "Service hall") : markup;
    const bytes = receiptline.transform(text, { cpl: 48, encoding, command: "escpos", cutting: true, spacing: false });
    writeFileSync(new URL(name, folder), Buffer.from(bytes, "binary"));
}

const encoder = new ReceiptPrinterEncoder({ language: "esc-pos", columns: 48, printerModel: "epson-tm-t88vi" });
const slip = encoder
    .initialize()
    .align("center")
    .width(2)
    .height(2)
    .line("A036")
    .width(1)
    .height(1)
    .bold(true)
    .line("Service hall")
    .bold(false)
    .qrcode("https://hall.example/t/3", { model: 2, size: 4, errorlevel: "m" })
    .align("left")
    .rule()
    .line("Window 3")
    .newline(3)
    .cut()
    .encode();
writeFileSync(new URL("receipt-printer-encoder.bin", folder), slip);
