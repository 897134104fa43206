#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# A llama-shaped model with seeded random weights: make-gguf.py OUT [LAYERS [DIM [F32|F16|Q8_0|Q4_0 [same]]]].
# same: tensors of one shape are one and the same, so that a large model is made fast and packs small. Needs gguf and numpy (python3-gguf).
import sys,numpy as np,gguf
out=sys.argv[1]; L=int(sys.argv[2]) if len(sys.argv)>2 else 4; D=int(sys.argv[3]) if len(sys.argv)>3 else 256; qt=sys.argv[4] if len(sys.argv)>4 else 'F16'
H=D//64 if D>=128 else 2; KV=max(1,H//2); F=D*2; hd=D//H; CTX=2048
toks=[b'<unk>',b'<s>',b'</s>']+[b'<0x%02X>'%i for i in range(256)]+[bytes([c]) for c in range(33,127)]+['▁'.encode()]
pad=(-len(toks))%32; toks+=[b'<pad%d>'%i for i in range(pad)]
typ=[2,3,3]+[6]*256+[1]*(94+1)+[5]*pad; sc=[0.0]*3+[0.0]*256+[-float(i) for i in range(95)]+[0.0]*pad; V=len(toks)
w=gguf.GGUFWriter(out,'llama'); w.add_name('tiny-random'); w.add_context_length(CTX); w.add_embedding_length(D); w.add_block_count(L); w.add_feed_forward_length(F)
w.add_head_count(H); w.add_head_count_kv(KV); w.add_rope_dimension_count(hd); w.add_layer_norm_rms_eps(1e-5); w.add_file_type({'F32':0,'F16':1,'Q8_0':7,'Q4_0':2}[qt]); w.add_vocab_size(V)
w.add_tokenizer_model('llama'); w.add_token_list(toks); w.add_token_scores(sc); w.add_token_types(typ); w.add_bos_token_id(1); w.add_eos_token_id(2); w.add_unk_token_id(0); w.add_add_bos_token(True); w.add_add_eos_token(False)
r=np.random.default_rng(1234); same={} if sys.argv[5:]==['same'] else None
def t(n,*s,norm=False):
    if norm: w.add_tensor(n,np.ones(s,np.float32)); return
    if same is not None and s in same: a=same[s]
    else:
        a=(r.standard_normal(s)*(1.0/np.sqrt(s[-1]))*1.5).astype(np.float32)
        if qt=='F16': a=a.astype(np.float16)
        elif qt!='F32': a=gguf.quants.quantize(a,gguf.GGMLQuantizationType[qt])
        if same is not None: same[s]=a
    w.add_tensor(n,a,raw_dtype=None if qt in ('F32','F16') else gguf.GGMLQuantizationType[qt])
t('token_embd.weight',V,D)
for i in range(L):
    p='blk.%d.'%i; t(p+'attn_norm.weight',D,norm=True); t(p+'attn_q.weight',D,D); t(p+'attn_k.weight',KV*hd,D); t(p+'attn_v.weight',KV*hd,D); t(p+'attn_output.weight',D,D)
    t(p+'ffn_norm.weight',D,norm=True); t(p+'ffn_gate.weight',F,D); t(p+'ffn_up.weight',F,D); t(p+'ffn_down.weight',D,F)
t('output_norm.weight',D,norm=True); t('output.weight',V,D)
w.write_header_to_file(); w.write_kv_data_to_file(); w.write_tensors_to_file(); w.close(); print(out,V,'vocab')
